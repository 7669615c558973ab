import { expect, test } from '@jest/globals'
import type { JsonPatchStep } from '../../../src/controller/kube/kube-client.ts'
import { refusal } from '../../../src/controller/kube/kube-errors.ts'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import { writeStatus } from '../../../src/controller/kube/write-status.ts'

type WithStatus = KubeObject & { readonly status?: object }

const about = { apiVersion: 'weir.dev/v1alpha1', kind: 'StreamJob' }
const object: WithStatus = { ...about, metadata: { name: 'j', resourceVersion: '1' } }
const invalid = refusal({
  method: 'PATCH',
  path: '/j',
  status: 422,
  said: 'upgrade.phase: Required',
})
const owners = [
  { manager: 'person', operation: 'Apply' },
  { manager: 'kubectl-edit', operation: 'Update', subresource: 'status' },
  { manager: 'weir-streamjob', operation: 'Apply', subresource: 'status' },
]

/** An API server on which somebody else owns a part of the status. */
function server(applied: WithStatus | Error) {
  const sent: (readonly JsonPatchStep[])[] = []
  const next = (steps: readonly JsonPatchStep[]): Promise<WithStatus> => {
    sent.push(steps)
    const metadata = { name: 'j', resourceVersion: String(sent.length + 1), managedFields: owners }
    return Promise.resolve({ ...about, metadata, status: { phase: 'Running' } })
  }
  const client = {
    applyStatus: async () => {
      if (applied instanceof Error) throw applied
      return applied
    },
    patchStatus: (_ref: unknown, steps: readonly JsonPatchStep[]) => next(steps),
    patch: (_ref: unknown, steps: readonly JsonPatchStep[]) => next(steps),
  }
  return { client, sent }
}

const status = { phase: 'Running', state: { epoch: 1 }, conditions: [{ type: 'Ready' }] }
const write = { status, manager: 'weir-streamjob' }

test('as a rule it is applied, and nothing else is sent', async () => {
  const { client, sent } = server({ ...object, status })
  await writeStatus(client, object, write)
  expect(sent).toEqual([])
})

const left: Record<string, WithStatus | Error> = {
  'what is left in part is refused': invalid,
  'what is left as a whole is seen': { ...object, status: { ...status, queue: {} } },
  'so is a field within another': {
    ...object,
    status: { ...status, state: { epoch: 1, path: '' } },
  },
  'so is a condition': {
    ...object,
    status: { ...status, conditions: [{ type: 'Ready' }, { type: 'Stalled' }] },
  },
}

test.each(Object.entries(left))(
  '%s: the status is replaced, and disowned',
  async (_what, given) => {
    const { client, sent } = server(given)
    await writeStatus(client, object, write)
    expect(sent.map(steps => steps.map(({ op, path }) => `${op} ${path}`))).toEqual([
      ['test /metadata/resourceVersion', 'add /status'],
      ['test /metadata/resourceVersion', 'replace /metadata/managedFields'],
    ])
    expect(sent[1]?.[1]?.value).toEqual([owners[0], owners[2]])
  },
)

test('what else is in the way is thrown', async () => {
  const busy = refusal({ method: 'PATCH', path: '/j', status: 503, said: '' })
  await expect(writeStatus(server(busy).client, object, write)).rejects.toBe(busy)
})
