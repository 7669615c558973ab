/** Which pod of which deployment it is, whatever somebody has made of its labels. */
import { expect, test } from '@jest/globals'
import { podFacts } from '../../../src/controller/streamjob/pod-facts.ts'
import { podOf } from './job-cases.ts'

const relabelled = (change: Record<string, string | undefined>) => {
  const pod = podOf('tm-3-1-2 running')
  const labels = { ...pod.metadata.labels, ...change } as Record<string, string>
  return podFacts({ ...pod, metadata: { ...pod.metadata, labels } })
}

test('a pod is what its name says', () => {
  expect(relabelled({})).toMatchObject({ role: 'taskmanager', epoch: 3, slot: 1, attempt: 2 })
})

test.each([
  ['another epoch', { 'weir.dev/epoch': '9' }],
  ['another slot', { 'weir.dev/slot': '7' }],
  ['another attempt', { 'weir.dev/attempt': '99' }],
  ['another role', { 'weir.dev/role': 'jobmanager' }],
  ['no role', { 'weir.dev/role': undefined }],
  ['another job', { 'weir.dev/job': 'other' }],
])('one with the labels of %s is of no deployment', (_what, change) => {
  expect(relabelled(change)).toMatchObject({ epoch: 0, state: 'running' })
})

test('a pod of another name is none of a deployment', () => {
  const pod = podOf('tm-3-1-2 running')
  expect(podFacts({ ...pod, metadata: { ...pod.metadata, name: 'j-plan-abc-1' } })).toBeUndefined()
})
