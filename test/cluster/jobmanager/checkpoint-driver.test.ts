import { expect, test } from '@jest/globals'
import type { SubtaskHandle } from '../../../src/checkpoint/snapshot-handle.ts'
import { defaultSettings } from '../../../src/cluster/job-settings.ts'
import { CheckpointDriver } from '../../../src/cluster/jobmanager/checkpoint-driver.ts'
import { JobStore } from '../../../src/cluster/jobmanager/job-store.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { FaultyObjectStore, type StoreCall } from '../../../src/testing/faulty-object-store.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

/** Set by a test for the next trigger. */
let triggerFails = false

async function bench(fault: (call: StoreCall) => 'fail' | undefined = () => undefined) {
  const clock = new ManualClock(1_000)
  const claim = { run: 'r', lastTried: 0, isSettled: false }
  const inner = new MemoryStore()
  const log: string[] = []
  let whenComplete = (): void => {}
  const logged = new FaultyObjectStore({
    inner,
    clock,
    fault: call => {
      log.push(`${call.operation} ${call.key.replace('default.job/', '')}`)
      return fault(call)
    },
  })
  const store = new JobStore({ store: logged, jobId: 'default.job', clock, claim })
  await store.settle(await store.begin(), { restoredFrom: null, history: [], parallelism: 1 })
  log.length = 0
  const driver = new CheckpointDriver({
    jobId: 'default.job',
    jobName: 'job',
    store,
    clock,
    settings: { ...defaultSettings.checkpoint, intervalMs: 100, tolerableFailures: 1 },
    operators: [],
    edges: [],
    lastId: 0,
    completed: [],
    proofBefore: undefined,
    ports: {
      trigger: ({ checkpointId, timestamp }) => {
        if (triggerFails) throw new Error('no snapshot')
        log.push(`trigger ${checkpointId} at ${timestamp}`)
        return new Map()
      },
      complete: (id, final) => {
        log.push(`complete ${id}${final ? ' final' : ''}`)
        whenComplete()
      },
      abort: id => void log.push(`abort ${id}`),
      failJob: () => void log.push('fail job'),
      fenced: by => void log.push(`fenced by ${by}`),
      checkpointFailed: (id, reason) => void log.push(`failed ${id}: ${reason}`),
      checkpointCompleted: ({ id, durationMs }) => void log.push(`done ${id} in ${durationMs}`),
      cleanupFailed: error => void log.push(`cleanup: ${String(error)}`),
      crashed: error => void log.push(`crashed: ${String(error)}`),
    },
  })
  const onComplete = (action: () => void): void => {
    whenComplete = action
  }
  return { driver, clock, log, onComplete }
}

const part: SubtaskHandle = {
  vertexId: 'a',
  subtaskIndex: 0,
  file: undefined,
  fileSizeBytes: 0,
  operators: [],
  channels: [],
  metrics: {
    alignmentMs: 0,
    startDelayMs: 0,
    unaligned: false,
    inFlightBytes: 0,
    syncMs: 0,
    asyncMs: 0,
    recordsPerSplit: {},
  },
}

const settled = () => new Promise(resolve => setImmediate(resolve))

test('D1: performs a checkpoint step by step, by the clock', async () => {
  const { driver, clock, log } = await bench()
  driver.allRunning(['a/0'])
  clock.advance(99)
  expect(log).toEqual([])
  clock.advance(1)
  await settled()
  clock.advance(20)
  driver.acknowledged(1, 'a/0', part)
  await settled()
  expect(log).toEqual([
    'put generations/0000000001.json',
    'list generations/',
    'trigger 1 at 1100',
    'put chk-1/_metadata',
    'list generations/',
    'done 1 in 20',
    'complete 1',
  ])
  expect(driver.lastCompletedId).toBe(1)
})

test('a checkpoint that cannot be stored fails and is cleaned up after the next', async () => {
  let fails = true
  const { driver, clock, log } = await bench(({ key }) =>
    fails && key.endsWith('_metadata') ? 'fail' : undefined,
  )
  driver.allRunning(['a/0'])
  clock.advance(100)
  await settled()
  driver.acknowledged(1, 'a/0', part)
  await settled()
  expect(log.slice(-2)).toEqual(['abort 1', expect.stringMatching(/^failed 1: cannot put .*chk-1/)])
  fails = false
  clock.advance(100)
  await settled()
  driver.acknowledged(2, 'a/0', part)
  await settled()
  expect(log).toContain('complete 2')
  expect(log).toContain('delete chk-1/_metadata')
})

test('files that cannot be removed are told of and fail nothing', async () => {
  const { driver, clock, log } = await bench(({ operation }) =>
    operation === 'delete' ? 'fail' : undefined,
  )
  driver.allRunning(['a/0'])
  clock.advance(100)
  await settled()
  driver.failed(1, 'declined')
  await settled()
  expect(log.at(-1)).toMatch(/^cleanup: WEIR_STORE_FAILED/)
})

test('D4: files of a savepoint are removed after its metadata, although that was under way', async () => {
  const { driver, log } = await bench()
  driver.allRunning(['a/0'])
  const path = driver.request('savepoint')
  await settled()
  driver.acknowledged(1, 'a/0', part)
  await driver.halt('the job failed')
  await expect(path).rejects.toThrow('the job failed')
  const order = log.filter(line => line.includes('savepoint-1/_metadata'))
  expect(order).toEqual([
    'put savepoints/savepoint-1/_metadata',
    'delete savepoints/savepoint-1/_metadata',
  ])
})

test('a request is answered with the path, or with the reason', async () => {
  const { driver } = await bench()
  await expect(driver.request('savepoint')).rejects.toThrow('not all subtasks are running')
  driver.allRunning(['a/0'])
  const path = driver.request('savepoint')
  await settled()
  driver.acknowledged(1, 'a/0', part)
  expect(await path).toBe('memory/default.job/savepoints/savepoint-1')
})

test('a trigger that throws fails its checkpoint', async () => {
  const { driver, clock, log } = await bench()
  driver.allRunning(['a/0'])
  clock.advance(100)
  triggerFails = true
  await settled()
  triggerFails = false
  expect(log.slice(2, 4)).toEqual([
    'abort 1',
    'failed 1: a source could not be snapshotted: no snapshot',
  ])
})

test('D3: an event that arises while decisions are performed comes after all of them', async () => {
  const { driver, log, onComplete } = await bench()
  driver.allRunning(['a/0'])
  const requests = [1, 2, 3].map(() => driver.request('checkpoint').catch(() => 'failed'))
  await settled()
  onComplete(() => driver.failed(3, 'of its own'))
  driver.acknowledged(2, 'a/0', part)
  expect(await Promise.all(requests)).toEqual(['failed', 'memory/default.job/chk-2', 'failed'])
  const told = log.filter(line => /^(complete|abort)/.test(line))
  expect(told).toEqual(['complete 2', 'abort 1', 'abort 3'])
})

test('a halt ends the timer and waits for calls under way', async () => {
  const { driver, clock, log } = await bench()
  driver.allRunning(['a/0'])
  clock.advance(100)
  await driver.halt('the end')
  expect(log).toContain('list generations/')
  expect(log.some(line => line.startsWith('trigger'))).toBe(false)
  expect(clock.pending).toBe(0)
  clock.advance(10_000)
  await settled()
  expect(log.some(line => line.startsWith('trigger'))).toBe(false)
})

test('a checkpoint that is being stored is waited for before the job is cancelled', async () => {
  const { driver, clock, log } = await bench()
  driver.allRunning(['a/0'])
  clock.advance(100)
  await settled()
  driver.acknowledged(1, 'a/0', part)
  await driver.stored()
  expect(log.at(-1)).toBe('complete 1')
  await driver.halt('the end')
  expect(driver.settlement).toEqual({ commitUpTo: 1, abortBeyond: 1 })
})

test('one that still waits for subtasks is not', async () => {
  const { driver, clock } = await bench()
  driver.allRunning(['a/0'])
  clock.advance(100)
  await settled()
  await driver.stored()
  await driver.halt('the end')
  expect(driver.settlement).toEqual({ commitUpTo: 0, abortBeyond: 0 })
})

test('what a savepoint holds is neither committed nor taken back', async () => {
  const { driver } = await bench()
  driver.allRunning(['a/0'])
  const path = driver.request('savepoint')
  await settled()
  driver.acknowledged(1, 'a/0', part)
  await path
  await driver.halt('the end')
  expect(driver.settlement).toEqual({ commitUpTo: 0, abortBeyond: 1 })
})
