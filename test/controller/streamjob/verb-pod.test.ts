import { expect, test } from '@jest/globals'
import type { PodObject } from '../../../src/controller/streamjob/pod-facts.ts'
import { verbPod, verbPods } from '../../../src/controller/streamjob/verb-pod.ts'
import { streamJobSchema } from '../../../src/protocol/stream-job.ts'

const NOW_MS = Date.parse('2026-01-01T12:00:00Z')

const manifest = streamJobSchema.parse({
  apiVersion: 'weir.dev/v1alpha1',
  kind: 'StreamJob',
  metadata: { name: 'bank', namespace: 'a' },
  spec: {
    job: { module: 'a.ts' },
    secrets: [{ name: 'store' }],
    serviceAccountName: 'banker',
    podTemplate: {
      jobManager: {
        metadata: { labels: { team: 'payments' } },
        spec: {
          initContainers: [{ name: 'wait', image: 'w' }],
          containers: [
            { name: 'jobmanager', env: [{ name: 'AWS_REGION', value: 'x' }] },
            { name: 'proxy', image: 'p' },
          ],
        },
      },
    },
  },
})

const made = verbPod({
  name: 'pod',
  namespace: 'a',
  owner: { apiVersion: 'weir.dev/v1alpha1', kind: 'Savepoint', name: 's', uid: 'u' },
  job: 'bank',
  deployed: { manifest, image: 'weir:1', specDigest: '' },
  configMap: 'record',
  args: ['savepoint', 'dispose', 's3://b/savepoint-7'],
  number: 2,
})

test('it has the image, credentials and account of the job, and none of its companions', () => {
  expect(made.metadata).toMatchObject({
    ownerReferences: [{ uid: 'u' }],
    labels: { 'weir.dev/role': 'verb', 'weir.dev/attempt': '2', team: 'payments' },
  })
  const { initContainers, containers, ...spec } = made.spec as {
    readonly initContainers?: unknown
    readonly containers: readonly object[]
  }
  expect(initContainers).toBeUndefined()
  expect(containers).toEqual([
    expect.objectContaining({
      name: 'jobmanager',
      image: 'weir:1',
      args: ['savepoint', 'dispose', 's3://b/savepoint-7'],
      env: [{ name: 'AWS_REGION', value: 'x' }],
      volumeMounts: expect.arrayContaining([
        { name: 'secret-store', mountPath: '/var/run/weir/secrets/store', readOnly: true },
      ]),
    }),
  ])
  expect(spec).toMatchObject({
    serviceAccountName: 'banker',
    automountServiceAccountToken: false,
    activeDeadlineSeconds: 600,
    restartPolicy: 'Never',
  })
})

test('what it comes to is told by its phase, or by the time that it does not start in', () => {
  const pod = (status: PodObject['status'], agoMs = 0, more: object = {}): PodObject => {
    const creationTimestamp = new Date(NOW_MS - agoMs).toISOString()
    return {
      ...made,
      metadata: { ...made.metadata, creationTimestamp, ...more },
      status: status ?? {},
    }
  }
  const state = (one: PodObject) => verbPods([one], NOW_MS)[0]?.state
  expect(state(pod({}))).toBe('running')
  expect(state(pod({ phase: 'Pending' }, 599_000))).toBe('running')
  expect(state(pod({ phase: 'Pending' }, 601_000))).toBe('failed')
  expect(state(pod({ phase: 'Running' }, 601_000))).toBe('running')
  expect(state(pod({ phase: 'Succeeded' }))).toBe('succeeded')
  expect(state(pod({ phase: 'Failed' }))).toBe('failed')
  expect(state(pod({ phase: 'Running' }, 0, { deletionTimestamp: 'now' }))).toBe('failed')
  const terminated = { exitCode: 1, message: 'access denied', finishedAt: '2026-01-01T11:00:00Z' }
  const ended = pod({
    phase: 'Failed',
    containerStatuses: [{ name: 'jobmanager', state: { terminated } }],
  })
  expect(verbPods([ended], NOW_MS)).toMatchObject([
    { number: 2, why: 'exit code 1: access denied', endedMs: NOW_MS - 3_600_000 },
  ])
  const waits = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message: 'no cpu',
  }
  expect(verbPods([pod({ phase: 'Pending', conditions: [waits] })], NOW_MS)).toMatchObject([
    { state: 'running', why: 'Unschedulable: no cpu' },
  ])
  // Other pods of the owner are none.
  expect(verbPods([{ ...made, metadata: { name: 'x', labels: {} } }], NOW_MS)).toEqual([])
})
