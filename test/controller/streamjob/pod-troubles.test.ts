/** What people are told of pods that do not run. */
import { expect, test } from '@jest/globals'
import { type PodFacts, podFacts } from '../../../src/controller/streamjob/pod-facts.ts'
import {
  mountsOf,
  troubleOf,
  untilOverdueMs,
  waitWords,
} from '../../../src/controller/streamjob/pod-troubles.ts'
import { streamJobSpecSchema } from '../../../src/protocol/stream-job.ts'
import { podOf, right } from './job-cases.ts'

const NOW_MS = 1_000_000
const about = { nowMs: NOW_MS, mounts: ['Secret kafka'] }

const factsOf = (text: string): PodFacts => {
  const facts = podFacts(podOf(text))
  if (facts === undefined) throw new Error('it is a pod of a job')
  return facts
}

/** As the kubelet tells of a pod whose volumes are not there. */
const unmade = (ageMs: number): PodFacts => {
  const pod = podOf('jm-1-1 pending')
  const creationTimestamp = new Date(NOW_MS - ageMs).toISOString()
  const conditions = [
    { type: 'PodScheduled', status: 'True' },
    { type: 'PodReadyToStartContainers', status: 'False' },
  ]
  const metadata = { ...pod.metadata, creationTimestamp }
  const facts = podFacts({ ...pod, metadata, status: { phase: 'Pending', conditions } })
  if (facts === undefined) throw new Error('it is a pod of a job')
  return facts
}

test('a pod that was just made waits in silence', () => {
  expect(waitWords(unmade(29_000), about)).toBeUndefined()
  expect(untilOverdueMs(unmade(29_000), NOW_MS)).toBe(1_000)
})

test('one whose containers are not begun for long names what it may wait for', () => {
  expect(waitWords(unmade(30_000), about)).toMatch(
    /^pod j-jm-1-1: .*Secret kafka.*kubectl describe/,
  )
  expect(untilOverdueMs(unmade(30_000), NOW_MS)).toBeUndefined()
})

test('what somebody died of comes before what others wait for, the newest first', () => {
  const pods = ['jm-1-1 failed 1 5', 'tm-1-0-4 failed 137 9', 'jm-1-2 unscheduled'].map(factsOf)
  expect(troubleOf(pods, about)).toBe('pod j-tm-1-0-4: Error: exit code 137')
  expect(troubleOf(pods.slice(2), about)).toBe('pod j-jm-1-2: Unschedulable: no room')
  expect(troubleOf([factsOf('jm-1-1 running')], about)).toBeUndefined()
})

test('what a job mounts by the names in its spec', () => {
  const spec = streamJobSpecSchema.parse({
    ...right,
    secrets: [{ name: 'kafka' }],
    podTemplate: { jobManager: {} },
  })
  expect(mountsOf(spec)).toEqual(['Secret kafka', 'the volumes of spec.podTemplate'])
})
