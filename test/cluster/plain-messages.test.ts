/** The JobMaster and the slots share nothing: each message survives being JSON on a wire. */
import { expect, test } from '@jest/globals'
import { defaultSettings } from '../../src/cluster/job-settings.ts'
import { JobMaster } from '../../src/cluster/jobmanager/job-master.ts'
import { LocalExchanges } from '../../src/cluster/local-exchanges.ts'
import type { SlotCommand, SlotEvent, SlotGateway } from '../../src/cluster/slot-messages.ts'
import { makeTaskStarter } from '../../src/cluster/taskmanager/make-task-starter.ts'
import { TaskExecutor } from '../../src/cluster/taskmanager/task-executor.ts'
import { UserCounters } from '../../src/cluster/user-counters.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { buildExecutionPlan } from '../../src/graph/execution-plan.ts'
import { SlotLoop } from '../../src/runtime/slot-loop.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { failOnce } from '../../src/testing/fail-once.ts'
import { countingJob } from './counting-job.ts'

const wire = <T>(message: T): T => JSON.parse(JSON.stringify(message)) as T

test('a job with a failure and a restore runs over JSON, with late delivery', async () => {
  const counting = countingJob({ records: 600, keys: 7, perCheckpoint: 60, map: failOnce(300) })
  const graph = planJob(counting.job, { name: 'test', parallelism: 2 })
  const plan = buildExecutionPlan(graph)
  const shared = { graph, jobId: 'default.test', clock: new SystemClock() }
  const random = new SeededRandom(1)
  const settings = {
    ...defaultSettings,
    checkpoint: { ...defaultSettings.checkpoint, intervalMs: 1 },
    restart: { ...defaultSettings.restart, initialDelayMs: 0 },
  }
  const store = new MemoryStore()
  const seen = new Set<string>()
  const executors: TaskExecutor[] = []
  const slots = Array.from({ length: plan.slots }, (_, slot): SlotGateway => {
    return {
      send: (command: SlotCommand) => {
        const sent = wire(command)
        seen.add(sent.kind)
        setImmediate(() => executors[slot]?.handle(sent))
      },
    }
  })
  const master = new JobMaster({
    ...shared,
    store,
    storeAt: () => store,
    restore: { kind: 'none' },
    run: 'r',
    settings,
    random,
    slots,
    onNotice: () => {},
  })
  const startTask = makeTaskStarter({
    ...shared,
    loop: SlotLoop.running(shared.clock),
    exchanges: new LocalExchanges(),
    settings,
    keepsState: true,
    random,
    logger: silentLogger,
    counters: new UserCounters(),
  })
  const report = (event: SlotEvent): void => {
    const sent = wire(event)
    seen.add(sent.kind)
    setImmediate(() => master.receive(sent))
  }
  for (let slot = 0; slot < plan.slots; slot++) {
    const ports = { storeAt: () => store, startTask, retire: () => {}, report }
    executors.push(new TaskExecutor({ slot, jobId: shared.jobId, plan, store, ...ports }))
  }
  master.start()
  expect(await master.done).toMatchObject({ outcome: 'finished', restarts: 1 })
  counting.check()
  expect([...seen]).toEqual(
    expect.arrayContaining([
      'deploy',
      'trigger',
      'complete',
      'add-splits',
      'no-more-splits',
      'finish',
    ]),
  )
  expect([...seen]).toEqual(
    expect.arrayContaining([
      'running',
      'acknowledged',
      'drained',
      'finished',
      'failed',
      'cancelled',
    ]),
  )
})
