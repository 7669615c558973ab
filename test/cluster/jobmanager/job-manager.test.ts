import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { job } from '../../../src/api/job.ts'
import { defaultSettings } from '../../../src/cluster/job-settings.ts'
import type { JobManager } from '../../../src/cluster/jobmanager/job-manager.ts'
import { collectionSource } from '../../../src/connectors/collection/collection-source.ts'
import { collectSink } from '../../../src/testing/collect-sink.ts'
import { ownTls, strangeTls } from '../../runtime/network/tls-fixture.ts'
import { type CountingJob, countingJob } from '../counting-job.ts'
import { ProcessBench, until } from '../process-bench.ts'

const size = { records: 4_000, keys: 11 }
let bench: ProcessBench | undefined

afterEach(async () => {
  await bench?.close()
  bench = undefined
})

function benchOf(counting: CountingJob, parallelism: number): ProcessBench {
  bench = new ProcessBench(counting.job, parallelism)
  return bench
}

/** Ends what is still there; a job whose slots are taken away would not end by itself. */
async function endOf(manager: JobManager) {
  const result = await manager.done
  await manager.close()
  return result
}

describe('a job over several taskmanagers', () => {
  test('counts every record once, and its figures are those of all slots', async () => {
    const counting = countingJob(size)
    const bench = benchOf(counting, 3)
    const manager = await bench.jobManager()
    const taskManagers = await bench.taskManagers(3)
    const ended = Promise.all(taskManagers.map(one => one.done))
    expect(await endOf(manager)).toMatchObject({ outcome: 'finished', restarts: 0 })
    expect(await ended).toEqual(['dismissed', 'dismissed', 'dismissed'])
    counting.check()
    const { recordsIn, recordsOut, status } = manager.progress()
    expect({ recordsIn, recordsOut, status }).toEqual({
      recordsIn: size.records,
      recordsOut: size.records,
      status: 'finished',
    })
  })

  test('one that is warm has its slots ready, and touches nothing before it is to begin', async () => {
    const counting = countingJob(size)
    const bench = benchOf(counting, 2)
    const manager = await bench.jobManager({ isWarm: true })
    await bench.taskManager(0)
    await until(() => manager.taskManagers()[0]?.state === 'ready')
    expect(manager.progress().status).toBe('starting')
    await bench.taskManager(1)
    await until(() => manager.progress().status === 'warm')
    const refused = { code: 'WEIR_STOP_REFUSED' }
    await expect(manager.stop({ savepoint: true })).rejects.toMatchObject(refused)
    await manager.lastCheckpoint()
    expect(await bench.store.list('')).toEqual([])
    manager.begin()
    manager.begin()
    expect(await endOf(manager)).toMatchObject({ outcome: 'finished', restarts: 0 })
    counting.check()
  })

  test.each(['stopped', 'cancelled'] as const)('one that is warm is %s at once', async outcome => {
    const bench = benchOf(countingJob(size), 1)
    const manager = await bench.jobManager({ isWarm: true })
    if (outcome === 'stopped') void manager.stop()
    else manager.cancel()
    manager.begin()
    expect(await endOf(manager)).toMatchObject({ outcome })
    expect(await bench.store.list('')).toEqual([])
  })

  test('one that is warm fails where a slot builds another job', async () => {
    const bench = benchOf(countingJob(size), 1)
    const bundle = { code: 'export default 1', sourceMap: '', digest: 'of-another' }
    const manager = await bench.jobManager({ isWarm: true, bundle })
    await bench.taskManager(0)
    expect(await endOf(manager)).toMatchObject({ outcome: 'failed' })
  })

  test('the same over encrypted connections, for who has a certificate', async () => {
    const counting = countingJob(size)
    const bench = benchOf(counting, 2)
    const manager = await bench.jobManager({ tls: ownTls })
    const stranger = await bench.taskManager(0, { tls: strangeTls })
    const others = await Promise.all([0, 1].map(slot => bench.taskManager(slot, { tls: ownTls })))
    expect(await endOf(manager)).toMatchObject({ outcome: 'finished', restarts: 0 })
    expect(await Promise.all(others.map(one => one.done))).toEqual(['dismissed', 'dismissed'])
    await stranger.abandon()
    counting.check()
  })

  test('goes on when one is replaced by another of the same slot', async () => {
    const counting = countingJob({ ...size, perCheckpoint: 200 })
    const bench = benchOf(counting, 3)
    const manager = await bench.jobManager()
    const taskManagers = await bench.taskManagers(3)
    await until(() => manager.progress().checkpointsCompleted >= 3)
    await taskManagers[1]?.abandon()
    await bench.taskManager(1)
    expect(await endOf(manager)).toMatchObject({ outcome: 'finished', restarts: 1 })
    counting.check()
    expect(manager.history.failures[0]).toMatchObject({ code: 'WEIR_SLOT_LOST', retryInMs: 0 })
    expect(bench.notices.map(notice => notice.text)).toContainEqual(
      expect.stringMatching(/^restored from .*chk-\d+$/),
    )
  })

  test('goes on over new connections when those between two slots lose what is sent', async () => {
    const counting = countingJob({ ...size, perCheckpoint: 200 })
    const bench = benchOf(counting, 2)
    const manager = await bench.jobManager({
      settings: {
        ...defaultSettings,
        checkpoint: { ...defaultSettings.checkpoint, intervalMs: 20 },
        restart: { ...defaultSettings.restart, initialDelayMs: 0 },
        network: { ...defaultSettings.network, silenceMs: 300 },
      },
    })
    for (const slot of [0, 1]) await bench.taskManager(slot, { relayed: true })
    await until(() => manager.progress().checkpointsCompleted >= 2)
    for (const relay of bench.relays) relay.isDeaf = true
    await until(() => manager.history.failures.length > 0)
    for (const relay of bench.relays) relay.isDeaf = false
    expect(await endOf(manager)).toMatchObject({ outcome: 'finished', restarts: 1 })
    counting.check()
    expect(manager.history.failures).toMatchObject([
      {
        code: 'WEIR_SLOTS_CUT_OFF',
        message: expect.stringMatching(/^slot [01] has heard nothing from taskmanager [01]/),
      },
    ])
  })

  test('that one leaves is preceded by a checkpoint', async () => {
    const counting = countingJob({ ...size, perCheckpoint: 400 })
    const bench = benchOf(counting, 2)
    const never = { ...defaultSettings.checkpoint, intervalMs: undefined }
    const manager = await bench.jobManager({ settings: { ...defaultSettings, checkpoint: never } })
    const [, second] = await bench.taskManagers(2)
    await until(() => manager.progress().status === 'running')
    second?.leave()
    expect(await second?.done).toBe('left')
    expect(manager.progress().checkpointsCompleted).toBe(1)
    await bench.taskManager(1)
    await until(() => manager.progress().status === 'running')
    void manager.stop()
    await endOf(manager)
    expect(bench.notices[0]?.text).toMatch(/^slot 1 was told to leave/)
  })

  test('a second jobmanager goes on with the taskmanagers of the first', async () => {
    const counting = countingJob({ ...size, perCheckpoint: 200 })
    const bench = benchOf(counting, 2)
    const first = await bench.jobManager()
    await bench.taskManagers(2)
    await until(() => first.progress().checkpointsCompleted >= 3)
    await first.leave()
    const second = await bench.jobManager()
    expect(await endOf(second)).toMatchObject({ outcome: 'finished', restarts: 0 })
    counting.check()
    // The first one lives on and knows nothing: the store tells it when it wants to complete one.
    expect(await first.done).toMatchObject({
      outcome: 'failed',
      error: { code: 'WEIR_JOB_FENCED' },
    })
  })
})

describe('on another number of slots', () => {
  test('goes on from a checkpoint with the taskmanagers that are there and those that come', async () => {
    const counting = countingJob({ ...size, perCheckpoint: 200 })
    const bench = benchOf(counting, 2)
    const manager = await bench.jobManager()
    const first = await bench.taskManagers(2)
    await until(() => manager.progress().checkpointsCompleted >= 2)
    const { begun } = await manager.rescale(4)
    const more = await Promise.all([2, 3].map(slot => bench.taskManager(slot)))
    await begun
    await until(() => manager.progress().status === 'running')
    expect(manager.progress().vertices[0]?.parallelism).toBe(4)
    await (await manager.rescale(1)).begun
    expect(await endOf(manager)).toMatchObject({ outcome: 'finished', restarts: 0 })
    expect(manager.taskManagers()).toHaveLength(1)
    expect(bench.slots).toEqual([4, 4, 4, 1])
    // Nobody took the spares away: they waited for another rescale.
    const ended = await Promise.all([...first, ...more].map(one => one.done))
    expect(ended).toEqual(ended.map(() => 'dismissed'))
    counting.check()
  })

  test('A5: a jobmanager that dies on the way has a successor that goes on there', async () => {
    const counting = countingJob({ ...size, perCheckpoint: 200 })
    const bench = benchOf(counting, 2)
    const first = await bench.jobManager()
    await bench.taskManagers(2)
    await until(() => first.progress().checkpointsCompleted >= 2)
    await first.rescale(3)
    await first.leave()
    const spare = await bench.taskManager(2)
    const second = await bench.jobManager()
    expect(await endOf(second)).toMatchObject({ outcome: 'finished' })
    expect(second.progress().vertices[0]?.parallelism).toBe(3)
    expect(await spare.done).toBe('dismissed')
    counting.check()
  })

  test('a job that waits for a slot in vain goes on with those that it has', async () => {
    const counting = countingJob({ ...size, perCheckpoint: 200 })
    const bench = benchOf(counting, 3)
    const manager = await bench.jobManager()
    const [, , third] = await bench.taskManagers(3)
    await until(() => manager.progress().checkpointsCompleted >= 2)
    await third?.abandon()
    await until(() => manager.progress().waiting !== undefined)
    await manager.rescale(2)
    expect(await endOf(manager)).toMatchObject({ outcome: 'finished', restarts: 1 })
    counting.check()
  })
})

describe('who is refused', () => {
  test('Z2: a taskmanager without the secret', async () => {
    const bench = benchOf(countingJob(size), 1)
    const manager = await bench.jobManager()
    const stranger = await bench.taskManager(0, { secret: Buffer.from('some other secret') })
    await expect(stranger.done).rejects.toMatchObject({ code: 'WEIR_PEER_UNPROVEN' })
    await bench.taskManager(0)
    expect(await endOf(manager)).toMatchObject({ outcome: 'finished' })
  })

  test('one of another version, and both are named', async () => {
    const bench = benchOf(countingJob(size), 1)
    const manager = await bench.jobManager()
    const older = await bench.taskManager(0, { version: '0.9.0' })
    await expect(older.done).rejects.toMatchObject({
      code: 'WEIR_PEER_OF_OTHER_VERSION',
      message: expect.stringMatching(/runs Weir 1\.0\.0, this is Weir 0\.9\.0/),
    })
    manager.cancel()
    await endOf(manager)
  })

  test('one with a slot that the job does not have', async () => {
    const bench = benchOf(countingJob(size), 2)
    const manager = await bench.jobManager()
    const superfluous = await bench.taskManager(200)
    await expect(superfluous.done).rejects.toMatchObject({ code: 'WEIR_SLOT_UNKNOWN' })
    manager.cancel()
    await endOf(manager)
  })

  test('one that speaks nonsense after the handshake, and nobody else minds', async () => {
    const counting = countingJob(size)
    const bench = benchOf(counting, 1)
    const manager = await bench.jobManager()
    const socket = connect(join(bench.folder, 'jm'))
    const closed = new Promise(resolve => socket.on('close', resolve))
    socket.resume().write('GET / HTTP/1.1\r\n\r\n')
    await closed
    await bench.taskManager(0)
    expect(await endOf(manager)).toMatchObject({ outcome: 'finished' })
    counting.check()
  })

  test('a second one of the same slot waits until the first is gone', async () => {
    const counting = countingJob({ ...size, perCheckpoint: 200 })
    const bench = benchOf(counting, 1)
    const manager = await bench.jobManager()
    const first = await bench.taskManager(0)
    await until(() => manager.progress().checkpointsCompleted >= 1)
    const second = await bench.taskManager(0)
    await until(() => manager.progress().checkpointsCompleted >= 4)
    expect(manager.progress().restarts).toBe(0)
    await first.abandon()
    expect(await endOf(manager)).toMatchObject({ outcome: 'finished', restarts: 1 })
    expect(await second.done).toBe('dismissed')
    counting.check()
  })
})

test('slots that never come: which, of how many, and after how long', async () => {
  const bench = benchOf(countingJob(size), 3)
  const restart = { ...defaultSettings.restart, strategy: 'none' as const }
  const settings = { ...defaultSettings, restart }
  const manager = await bench.jobManager({ settings, slotTimeoutMs: 300 })
  await bench.taskManager(1)
  await until(() => manager.progress().waiting?.slots.length === 2)
  expect(manager.progress().waiting?.slots).toEqual([0, 2])
  expect(await endOf(manager)).toMatchObject({
    outcome: 'failed',
    error: {
      code: 'WEIR_SLOTS_MISSING',
      message: 'slots 0 and 2 of 3 did not come within 300ms',
    },
  })
})

test('a job that is stopped while it waits for slots ends at once', async () => {
  const bench = benchOf(countingJob(size), 2)
  const manager = await bench.jobManager()
  await until(() => manager.progress().waiting !== undefined)
  void manager.stop()
  expect(await endOf(manager)).toMatchObject({ outcome: 'stopped' })
})

test('a job that is built differently each time ends with the reason', async () => {
  let builds = 0
  const sink = collectSink<number>()
  const fickle = job(env => {
    builds++
    env
      .from(collectionSource([1]))
      .uid(`numbers-${builds}`)
      .to(sink)
      .uid('out')
  })
  bench = new ProcessBench(fickle, 1)
  const manager = await bench.jobManager()
  await bench.taskManager(0)
  expect(await endOf(manager)).toMatchObject({
    outcome: 'failed',
    error: { code: 'WEIR_JOB_UNLIKE' },
  })
})
