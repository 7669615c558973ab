/** What is done for a tenant, as a table of what was observed. */
import { describe, expect, test } from '@jest/globals'
import {
  decideTenant,
  FINALIZER,
  type ObservedTenant,
  type TenantDecision,
} from '../../../src/controller/tenancy/decide-tenant.ts'
import { nothing } from '../../../src/controller/tenancy/demand.ts'
import {
  namespaceLabels,
  type TenantObject,
  tenantObjects,
} from '../../../src/controller/tenancy/tenant-objects.ts'
import { directoryOf, namespaceOf, tenantOf } from './tenant-world.ts'

const NOW_MS = Date.parse('2026-01-01T01:00:00Z')
const payments = namespaceOf('payments')

function tenant(spec: object = {}, metadata: object = {}) {
  const whole = { namespaces: { names: ['payments'] }, ...spec }
  const found = directoryOf([tenantOf('bank', whole, metadata)], [payments]).tenant('bank')
  if (found === undefined) throw new Error('there is one')
  return found
}

function observed(more: Partial<ObservedTenant> = {}): ObservedTenant {
  return {
    tenant: tenant({}, { finalizers: [FINALIZER] }),
    namespaces: [payments],
    conflicts: [],
    missing: [],
    labelled: [],
    found: [],
    usage: { used: nothing, queued: 0, parked: 0 },
    userRoles: 'weir',
    refused: undefined,
    nowMs: NOW_MS,
    ...more,
  }
}

const objectNames = (objects: readonly TenantObject[]) =>
  objects.map(({ kind, object: { metadata } }) => `${kind} ${metadata.namespace}/${metadata.name}`)

const names = (objects: readonly { metadata: { name: string } }[]) =>
  objects.map(one => one.metadata.name)

/** In short. */
function decision(given: Partial<ObservedTenant>) {
  const { finalizer, label, ensure, remove, unlabel, status } = decideTenant(observed(given))
  return {
    finalizer,
    label: names(label),
    ensure: objectNames(ensure),
    remove: objectNames(remove),
    unlabel: names(unlabel),
    ready: status?.conditions?.find(one => one.type === 'Ready')?.reason,
  }
}

const wall = 'networkPolicy payments/weir-tenant'
const nothingDone = { label: [], ensure: [], remove: [], unlabel: [] }
const leaving = { deletionTimestamp: '2026-01-01T00:59:30Z', finalizers: [FINALIZER] }

const table: Record<
  string,
  { given: Partial<ObservedTenant>; decides: ReturnType<typeof decision> }
> = {
  'a new tenant is held before anything is made of it': {
    given: { tenant: tenant() },
    decides: {
      ...nothingDone,
      finalizer: 'hold',
      label: ['payments'],
      ensure: [wall],
      ready: 'NamespacesReady',
    },
  },
  'each part of the spec has its object': {
    given: {
      tenant: tenant(
        {
          quota: { cpu: 4 },
          limits: { default: { memory: '1Gi' } },
          access: { editors: [{ kind: 'User', name: 'ada' }] },
        },
        { finalizers: [FINALIZER] },
      ),
    },
    decides: {
      ...nothingDone,
      finalizer: 'keep',
      label: ['payments'],
      ensure: [
        'resourceQuota payments/weir-tenant',
        'limitRange payments/weir-tenant',
        wall,
        'roleBinding payments/weir-tenant-editor',
      ],
      ready: 'NamespacesReady',
    },
  },
  'what the spec no longer says goes': {
    given: {
      found: tenantObjects(tenant({ quota: { cpu: 4 } }), 'payments', 'weir'),
    },
    decides: {
      ...nothingDone,
      finalizer: 'keep',
      label: ['payments'],
      ensure: [wall],
      remove: ['resourceQuota payments/weir-tenant'],
      ready: 'NamespacesReady',
    },
  },
  'a namespace that it no longer has is left as it was': {
    given: {
      labelled: [
        namespaceLabels(tenant(), payments),
        namespaceLabels(tenant(), namespaceOf('old')),
      ],
      found: tenantObjects(tenant(), 'old', 'weir'),
    },
    decides: {
      finalizer: 'keep',
      label: ['payments'],
      ensure: [wall],
      remove: ['networkPolicy old/weir-tenant'],
      unlabel: ['old'],
      ready: 'NamespacesReady',
    },
  },
  'nothing new is made in a namespace that goes': {
    given: {
      namespaces: [{ ...payments, metadata: { ...payments.metadata, deletionTimestamp: 'now' } }],
    },
    decides: { ...nothingDone, finalizer: 'keep', ready: 'NamespacesReady' },
  },
  'a namespace that is not there is named': {
    given: { namespaces: [], missing: ['payments'] },
    decides: { ...nothingDone, finalizer: 'keep', ready: 'NamespaceMissing' },
  },
  'a spec that cannot be read takes nothing away': {
    given: {
      tenant: tenant({ namespaces: {} }, { finalizers: [FINALIZER] }),
      namespaces: [],
      found: tenantObjects(tenant(), 'payments', 'weir'),
    },
    decides: { ...nothingDone, finalizer: 'keep', ready: 'SpecInvalid' },
  },
  'at its end all that it made goes first': {
    given: {
      tenant: tenant({}, leaving),
      namespaces: [],
      labelled: [payments],
      found: tenantObjects(tenant(), 'payments', 'weir'),
    },
    decides: {
      ...nothingDone,
      finalizer: 'keep',
      remove: [wall],
      unlabel: ['payments'],
      ready: undefined,
    },
  },
  'then it goes itself': {
    given: { tenant: tenant({}, leaving), namespaces: [] },
    decides: { ...nothingDone, finalizer: 'release', ready: undefined },
  },
  'its end does not hang on what cannot be removed': {
    given: {
      tenant: tenant({}, { ...leaving, deletionTimestamp: '2026-01-01T00:59:00Z' }),
      namespaces: [],
      labelled: [payments],
    },
    decides: { ...nothingDone, finalizer: 'release', unlabel: ['payments'], ready: undefined },
  },
}

describe('a tenant', () => {
  test.each(Object.entries(table))('%s', (_sentence, { given, decides }) => {
    expect(decision(given)).toEqual(decides)
  })

  test('what the API server refuses needs a person, and is tried again', () => {
    const refused = {
      reason: 'NameTaken',
      said: 'a/weir-tenant is there',
      message: 'a/weir-tenant is there',
      mayPass: true,
    } as const
    const { status, againMs } = decideTenant(observed({ refused }))
    expect(againMs).toBe(1_000)
    expect(status?.conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'NameTaken' },
      { type: 'Stalled', status: 'True', message: 'a/weir-tenant is there' },
    ])
  })

  test('what it holds and who waits stands in its status', () => {
    const used = { jobs: 2, slots: 5, cpu: 5_500, memory: 3 * 2 ** 30 }
    const { status }: TenantDecision = decideTenant(
      observed({ usage: { used, queued: 1, parked: 0 } }),
    )
    expect(status).toMatchObject({
      usage: { jobs: 2, slots: 5, cpu: '5500m', memory: '3Gi' },
      jobs: { admitted: 2, queued: 1, parked: 0 },
      namespaces: ['payments'],
    })
  })
})
