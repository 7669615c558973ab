/** What the pod that prepares a job has of its code. */
import { expect, test } from '@jest/globals'
import { podOf } from '../../../src/controller/streamjob/job-pods.ts'
import { streamJobSchema } from '../../../src/protocol/stream-job.ts'

interface Container {
  readonly name: string
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
}

interface Pod {
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes: readonly object[]
}

function podFor(role: 'jobmanager' | 'taskmanager', spec: object, epoch = 1): Pod {
  const shape = {
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { name: 'totals', namespace: 'a' },
  } as const
  const manifest = streamJobSchema.parse({ ...shape, spec })
  const deployed = { manifest, image: 'weir:1', specDigest: 'd' }
  const identity = { epoch, role, slot: 0, attempt: 1 }
  const revision = { name: 'totals-1', deployed }
  const start = { from: 'manifest' } as const
  return podOf({ job: { ...shape, spec }, revision, identity, start, isWarm: false }).spec as Pod
}

const job = { configMap: { name: 'jobs', key: 'totals.ts' } }

test('a ConfigMap is mounted where the job is prepared, and nowhere else', () => {
  const pod = podFor('jobmanager', { job })
  expect(pod.volumes).toContainEqual({ name: 'code', configMap: { name: 'jobs', optional: true } })
  const [describer] = pod.initContainers ?? []
  const mountPath = '/var/run/weir/config-maps/jobs'
  expect(describer?.volumeMounts).toContainEqual({ name: 'code', mountPath, readOnly: true })
  expect(describer?.env).toContainEqual({
    name: 'WEIR_CONFIG_MAPS',
    value: '/var/run/weir/config-maps',
  })
  const others = [...pod.containers, ...podFor('taskmanager', { job }).containers]
  expect(others.flatMap(one => one.volumeMounts.filter(({ name }) => name === 'code'))).toEqual([])
})

test('what a plan has checked is not checked again, but a ConfigMap may have changed', () => {
  const flagged = (code: object, epoch: number): boolean => {
    const [describer] = podFor('jobmanager', { job: code }, epoch).initContainers ?? []
    return describer?.args.includes('--types-checked') ?? false
  }
  const module = { module: 'src/examples/bank-transfers.ts' }
  expect([flagged(module, 1), flagged(module, 2), flagged(job, 2)]).toEqual([false, true, false])
})

test('who prepares the job has the credentials of its jobmanager', () => {
  const env = [{ name: 'AWS_ACCESS_KEY_ID', value: 'id' }]
  const containers = [{ name: 'jobmanager', env }]
  const digest = `sha256:${'0'.repeat(64)}`
  const spec = {
    job: { bundle: { url: 's3://b/a.ts', digest } },
    podTemplate: { jobManager: { spec: { containers } } },
  }
  const [describer] = podFor('jobmanager', spec).initContainers ?? []
  expect(describer?.env.map(({ name }) => name)).toEqual(['XDG_CACHE_HOME', 'AWS_ACCESS_KEY_ID'])
})

test('what the template says of who prepares the job comes last', () => {
  const template = {
    spec: {
      containers: [{ name: 'jobmanager', env: [{ name: 'PLACE', value: 'run' }] }],
      initContainers: [{ name: 'describe', env: [{ name: 'PLACE', value: 'prepare' }] }],
    },
  }
  const spec = { job: { module: 'a.ts' }, podTemplate: { jobManager: template } }
  const [describer] = podFor('jobmanager', spec).initContainers ?? []
  expect(describer?.env).toContainEqual({ name: 'PLACE', value: 'prepare' })
})
