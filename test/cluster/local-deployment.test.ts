import { expect, test } from '@jest/globals'
import { defaultSettings } from '../../src/cluster/job-settings.ts'
import { LocalDeployment } from '../../src/cluster/local-deployment.ts'
import { ProgressMeter } from '../../src/cluster/progress-meter.ts'
import type { SlotEvent } from '../../src/cluster/slot-messages.ts'
import { UserCounters } from '../../src/cluster/user-counters.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { countingJob } from './counting-job.ts'

test('it has the slots of its graph, and each runs its subtasks', async () => {
  const clock = new SystemClock()
  const { job } = countingJob({ records: 50, keys: 3 })
  const graph = planJob(job, { name: 'test', parallelism: 3 })
  const events: SlotEvent[] = []
  const cancelled = Promise.withResolvers<void>()
  const options = {
    graph,
    jobId: 'default.test',
    store: new MemoryStore(),
    restore: { kind: 'none' },
    settings: defaultSettings,
    clock,
    random: new SeededRandom(1),
  } as const
  const deployment = new LocalDeployment(options, graph, {
    meter: new ProgressMeter(graph, clock),
    counters: new UserCounters(),
    report: event => {
      events.push(event)
      if (events.filter(({ kind }) => kind === 'cancelled').length === 3) cancelled.resolve()
    },
  })
  expect(deployment.slots).toHaveLength(3)
  for (const slot of deployment.slots) {
    slot.send({
      region: 0,
      attempt: 0,
      kind: 'deploy',
      restore: undefined,
      generation: 1,
      peers: [],
    })
  }
  await new Promise(resolve => setImmediate(resolve))
  expect(deployment.tasks).toHaveLength(3 * graph.vertices.length)
  for (const slot of deployment.slots) slot.send({ region: 0, attempt: 0, kind: 'cancel' })
  await cancelled.promise
  expect(deployment.tasks).toEqual([])
  expect(new Set(events.map(event => event.slot))).toEqual(new Set([0, 1, 2]))
})
