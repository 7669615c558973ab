import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { isApplied, withDigest } from '../../../src/controller/kube/applied.ts'
import { EventBudget } from '../../../src/controller/kube/event-series.ts'
import { type ConfigHost, readKubeConfig } from '../../../src/controller/kube/kube-config.ts'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import {
  claimed,
  type Lease,
  leaseStep,
  leaseTimes,
  microTime,
} from '../../../src/controller/kube/lease.ts'
import { ObjectCache } from '../../../src/controller/kube/object-cache.ts'
import { tokenSource } from '../../../src/controller/kube/open-transport.ts'
import { pathOf, resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import { watchEvents } from '../../../src/controller/kube/watch-events.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

const object = (name: string, version: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'a', name, resourceVersion: version },
})

describe('the cache', () => {
  test('C1: takes newer versions only, whatever the order', () => {
    const cache = new ObjectCache()
    cache.replace([object('x', '5')], '5')
    cache.set(object('x', '9'))
    cache.set(object('x', '7'))
    expect(cache.get('a/x')?.metadata.resourceVersion).toBe('9')
    cache.end(object('x', '8'))
    expect(cache.size).toBe(1)
    cache.end(object('x', '12'))
    cache.set(object('x', '10'))
    expect(cache.size).toBe(0)
    cache.set(object('x', '13'))
    expect(cache.size).toBe(1)
  })

  test('a list takes away what is not in it, but not what is newer than it', () => {
    const cache = new ObjectCache()
    cache.replace([object('x', '5'), object('y', '6')], '6')
    cache.set(object('z', '20'))
    const gone: string[] = []
    cache.onChange(change => change.kind === 'gone' && gone.push(change.key))
    cache.replace([object('y', '6')], '15')
    expect([gone, cache.size]).toEqual([['a/x'], 2])
  })

  test('C1: a late answer does not bring back what was made and is gone already', () => {
    const cache = new ObjectCache()
    cache.replace([], '1')
    // The watch was faster than the answer to the write that made it.
    for (const version of ['50', '51', '52']) cache.reach(version)
    cache.end(object('x', '55'))
    for (const version of ['55', '60', '61', '62']) cache.reach(version)
    cache.bookmark('63')
    cache.set(object('x', '50'))
    expect(cache.size).toBe(0)
  })

  test('what nobody reads is not kept, whoever tells of it', () => {
    const cache = new ObjectCache<KubeObject>(undefined, ({ apiVersion, kind, metadata }) => {
      return { apiVersion, kind, metadata }
    })
    cache.replace([{ ...object('x', '1'), spec: {} } as KubeObject], '1')
    cache.set({ ...object('y', '2'), spec: {} } as KubeObject)
    expect(cache.all().map(one => 'spec' in one)).toEqual([false, false])
  })

  test('what is kept can stay as it is where it did not change', () => {
    const cache = new ObjectCache<KubeObject>(undefined, (now, before) => {
      return { ...now, metadata: { ...now.metadata, labels: before?.metadata.labels ?? {} } }
    })
    cache.set(object('x', '9'))
    const { labels } = cache.get('a/x')?.metadata ?? {}
    cache.set(object('x', '10'))
    expect(cache.get('a/x')?.metadata.resourceVersion).toBe('10')
    expect(cache.get('a/x')?.metadata.labels).toBe(labels)
  })

  test('groups objects', () => {
    const cache = new ObjectCache(one => one.metadata.name.slice(0, 1))
    cache.replace([object('a2', '1'), object('a1', '2'), object('b1', '3')], '3')
    expect(cache.group('a').map(one => one.metadata.name)).toEqual(['a1', 'a2'])
    cache.end(object('a1', '4'))
    expect(cache.group('a')).toHaveLength(1)
    expect(cache.group('c')).toEqual([])
  })
})

describe('the events of a watch', () => {
  const read = async (...pieces: string[]) => {
    const events: string[] = []
    async function* bytes() {
      for (const piece of pieces) yield Buffer.from(piece, 'latin1')
    }
    for await (const event of watchEvents(bytes())) events.push(event.type)
    return events
  }
  const added = JSON.stringify({ type: 'ADDED', object: object('x', '1') })

  test('come whole out of torn pieces', async () => {
    const text = Buffer.from(`${added.replace('"x"', '"xä"')}\n${added}\n`).toString('latin1')
    const pieces = text.match(/[\s\S]{1,7}/g) ?? []
    expect(await read(...pieces)).toEqual(['ADDED', 'ADDED'])
  })

  test.each([
    ['half a line', added.slice(0, 30), 'in the middle of a line'],
    ['no JSON', '{"type": \n', 'no JSON object'],
    ['no object', '7\n', 'no JSON object'],
    ['no version', '{"type":"ADDED","object":{}}\n', 'without a version'],
    ['another type', `${added.replace('ADDED', 'X')}\n`, 'an event of type "X"'],
    ['too old', '{"type":"ERROR","object":{"code":410,"message":"old"}}\n', '410 old'],
    ['an error without words', '{"type":"ERROR"}\n', '500'],
  ])('%s is an error', async (_what, text, says) => {
    await expect(read(text)).rejects.toThrow(says)
  })
})

describe('the lease', () => {
  const held = (holderIdentity: string): Lease => ({
    ...object('lease', '1'),
    spec: { holderIdentity, leaseDurationSeconds: 6, leaseTransitions: 2, acquireTime: 'then' },
  })

  test.each([
    ['there is none', { lease: undefined, unchangedMs: 0 }, 'create'],
    ['it is mine', { lease: held('me'), unchangedMs: 60_000 }, 'renew'],
    ['another holds it', { lease: held('other'), unchangedMs: 6_000 }, 'wait'],
    ['another held it and is silent', { lease: held('other'), unchangedMs: 6_001 }, 'take'],
    ['it was given up', { lease: held(''), unchangedMs: 0 }, 'take'],
  ] as const)('%s', (_what, view, step) => {
    expect(leaseStep(view, 'me')).toBe(step)
  })

  test('times have six digits, and a renewal keeps the beginning', () => {
    const claim = { identity: 'me', nowMs: 1_000, times: leaseTimes }
    expect(microTime(0)).toBe('1970-01-01T00:00:00.000000Z')
    expect(claimed(held('me').spec, claim)).toMatchObject({
      acquireTime: 'then',
      leaseTransitions: 2,
    })
    expect(claimed(held('other').spec, claim)).toMatchObject({ leaseTransitions: 3 })
    expect(claimed(undefined, claim)).toMatchObject({ leaseTransitions: 0 })
  })
})

describe('events', () => {
  const words = { type: 'Normal', reason: 'Deployed', action: 'Deploy', note: 'done' } as const

  test('the same again is counted, at each doubling', () => {
    let names = 0
    const budget = new EventBudget(() => `${++names}`)
    const steps = Array.from({ length: 9 }, () => budget.decide(object('x', '1'), words, 0).kind)
    expect(steps).toEqual([
      'create',
      'count',
      'drop',
      'count',
      'drop',
      'drop',
      'drop',
      'count',
      'drop',
    ])
    expect(budget.decide(object('x', '1'), words, 600_001).kind).toBe('create')
  })

  test('an object has 25 of either type in ten minutes', () => {
    const budget = new EventBudget(() => 'x')
    const say = (name: string, note: string, nowMs: number) =>
      budget.decide(object(name, '1'), { ...words, note }, nowMs).kind
    for (let index = 0; index < 25; index++) expect(say('x', `${index}`, index)).toBe('create')
    expect([say('x', 'more', 100), say('y', 'more', 100)]).toEqual(['drop', 'create'])
    const warning = { ...words, type: 'Warning', note: 'more' } as const
    expect(budget.decide(object('x', '1'), warning, 100).kind).toBe('create')
    expect(say('x', 'more', 600_010)).toBe('create')
  })
})

describe('what is applied', () => {
  const wanted = withDigest({
    ...object('x', '1'),
    spec: {
      containers: [
        { name: 'a', env: [{ name: 'X', value: '1' }], resources: { limits: { cpu: '1000m' } } },
      ],
      tolerations: [{ key: 'k' }],
      volumes: {},
    },
  } as KubeObject)

  const live = (change: (spec: Record<string, unknown>) => void) => {
    const copy = structuredClone(wanted) as KubeObject & { spec: Record<string, unknown> }
    change(copy.spec)
    return copy
  }
  const container = (more: object) => ({
    containers: [
      { name: 'a', env: [{ name: 'X', value: '1' }], resources: { limits: { cpu: 1 } }, ...more },
    ],
  })

  test.each([
    ['the same', {}, true],
    ['an amount in other words', container({}), true],
    ['more than is wanted', container({ image: 'b', ports: [] }), true],
    ['an injected container', { containers: [{ name: 'z' }, ...container({}).containers] }, true],
    ['another amount', container({ resources: { limits: { cpu: '2' } } }), false],
    ['a text that is only as much', container({ env: [{ name: 'X', value: '1.0' }] }), false],
    ['a lost entry', { containers: [] }, false],
    ['one more in a list without names', { tolerations: [{ key: 'k' }, { key: 'l' }] }, false],
  ])('%s', (_what, spec, is) => {
    expect(
      isApplied(
        live(one => Object.assign(one, spec)),
        wanted,
      ),
    ).toBe(is)
  })

  test('nothing, and a field that is no longer wanted', () => {
    expect(isApplied(undefined, wanted)).toBe(false)
    const less = structuredClone(wanted) as KubeObject & { spec: Record<string, unknown> }
    delete less.spec.tolerations
    expect(isApplied(wanted, withDigest(less))).toBe(false)
  })

  test('who was let in by somebody else is seen, also under the name of another', () => {
    const subject = (kind: string, name: string) => ({ kind, name })
    const binding = (...subjects: readonly object[]) => ({ ...object('x', '1'), subjects })
    const wanted = withDigest(binding(subject('User', 'ada'), subject('Group', 'ada')))
    expect(isApplied(wanted, wanted)).toBe(true)
    const more = { ...wanted, subjects: [...wanted.subjects, subject('User', 'eve')] }
    expect(isApplied(more, wanted)).toBe(false)
  })
})

test('paths', () => {
  expect(pathOf(resourceKinds.pod, { namespace: 'a', name: 'b' })).toBe(
    '/api/v1/namespaces/a/pods/b',
  )
  const place = { namespace: 'a', name: 'b', subresource: 'status' } as const
  expect(pathOf(resourceKinds.streamJob, place)).toBe(
    '/apis/weir.dev/v1alpha1/namespaces/a/streamjobs/b/status',
  )
  expect(pathOf(resourceKinds.crd)).toBe('/apis/apiextensions.k8s.io/v1/customresourcedefinitions')
})

describe('where the API server is', () => {
  const host = (
    files: Record<string, string>,
    environment: Record<string, string>,
  ): ConfigHost => ({
    environment,
    readFile: path => {
      const text = files[path]
      if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`)
      return text
    },
  })
  const file = (user: string, context = 'c') => `
current-context: ${context}
contexts: [{ name: c, context: { cluster: k, user: u } }]
clusters: [{ name: k, cluster: { server: "https://k:6443/", certificate-authority: ca } }]
users: [{ name: u, user: ${user} }]
`
  const ofFile = (text: string) =>
    readKubeConfig(host({ config: text, ca: 'CA' }, { KUBECONFIG: 'config' }))

  test('a pod', () => {
    const folder = '/var/run/secrets/kubernetes.io/serviceaccount'
    const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }
    expect(readKubeConfig(host({ [`${folder}/ca.crt`]: 'CA' }, environment))).toMatchObject({
      server: 'https://[fd00::1]:6443',
      certificateAuthority: 'CA',
      tokenFile: `${folder}/token`,
    })
  })

  test('a kubeconfig', () => {
    expect(ofFile(file('{ token: t }'))).toMatchObject({
      server: 'https://k:6443',
      certificateAuthority: 'CA',
      token: 't',
    })
    const data = Buffer.from('K').toString('base64')
    expect(ofFile(file(`{ client-key-data: ${data} }`))).toMatchObject({ clientKey: 'K' })
  })

  test.each([
    ['no such file', () => readKubeConfig(host({}, { KUBECONFIG: 'x' })), 'ENOENT'],
    ['no pod', () => readKubeConfig(host({}, {})), 'KUBECONFIG is not set and this is no pod'],
    ['no YAML', () => ofFile('{ token: secret'), 'it is not YAML'],
    ['another file', () => ofFile('a: 1'), 'current-context'],
    ['another context', () => ofFile(file('{ token: t }', 'd')), 'it has no context d'],
    ['a plugin', () => ofFile(file('{ exec: {} }')), 'neither a token nor a client certificate'],
  ])('%s', (_what, read, says) => {
    expect(read).toThrow(says)
    expect(read).not.toThrow('secret')
  })
})

test('a token is read again after a minute, and when it was refused', async () => {
  const tokenFile = join(mkdtempSync(join(tmpdir(), 'weir-token-')), 'token')
  const clock = new ManualClock()
  const config = { server: 'https://k', certificateAuthority: undefined, clientKey: undefined }
  const token = tokenSource(
    { ...config, clientCertificate: undefined, token: undefined, tokenFile },
    clock,
  )
  writeFileSync(tokenFile, 'one\n')
  expect(await token?.(false)).toBe('one')
  writeFileSync(tokenFile, 'two\n')
  expect(await token?.(false)).toBe('one')
  expect(await token?.(true)).toBe('two')
  writeFileSync(tokenFile, 'three\n')
  clock.advance(60_001)
  expect(await token?.(false)).toBe('three')
})
