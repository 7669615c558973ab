import { expect, test } from '@jest/globals'
import { defaultSettings } from '../../../src/cluster/job-settings.ts'
import type { SlotEvent } from '../../../src/cluster/slot-messages.ts'
import { SlotSession } from '../../../src/cluster/taskmanager/slot-session.ts'
import { UserCounters } from '../../../src/cluster/user-counters.ts'
import { SystemClock } from '../../../src/common/clock.ts'
import { silentLogger } from '../../../src/common/logger.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import { planJob } from '../../../src/graph/build-job-graph.ts'
import { LocalExchange } from '../../../src/runtime/network/local-channel.ts'
import { countingJob } from '../counting-job.ts'
import { until } from '../process-bench.ts'

const graph = planJob(countingJob({ records: 10, keys: 2 }).job, { name: 'test' })

function bench() {
  const events: SlotEvent[] = []
  const exchanges: { generation: number; open: boolean; fail: (error: unknown) => void }[] = []
  const session = new SlotSession({
    slot: 0,
    order: {
      kind: 'job',
      jobId: 'default.test',
      name: 'test',
      parallelism: 1,
      maxParallelism: 128,
      args: {},
      settings: { ...defaultSettings },
      storeLocation: null,
      digest: '',
      code: null,
      sourceMap: null,
      heartbeatIntervalMs: 1,
      heartbeatTimeoutMs: 1,
    },
    graph,
    dataPlane: {
      address: 'unix:/d',
      figures: { bytesSent: 0, bytesReceived: 0, framesSent: 0, framesReceived: 0, edges: [] },
      exchange: ({ attempt: { generation }, onFailure }) => {
        const made = { generation, open: true, fail: onFailure }
        exchanges.push(made)
        return Object.assign(new LocalExchange(), { close: () => (made.open = false) })
      },
    },
    counters: new UserCounters(),
    copies: undefined,
    clock: new SystemClock(),
    random: new SeededRandom(1),
    logger: silentLogger,
    report: event => void events.push(event),
    onRetired: () => {},
    onUnheard: () => {},
  })
  const deploy = (attempt: number): void => {
    const network = { generation: attempt + 7, peers: [] }
    session.handle({ region: 0, attempt, kind: 'deploy', restore: undefined, ...network })
  }
  const running = (): number => events.filter(event => event.kind === 'running').length
  return { session, events, exchanges, deploy, running }
}

test('Y1: after its end nothing of it runs, and nothing was reported', async () => {
  const { session, events, exchanges, deploy, running } = bench()
  deploy(0)
  await until(() => running() === graph.vertices.length)
  const before = events.length
  const closing = session.close()
  session.handle({ region: 0, attempt: 0, kind: 'cancel' })
  await closing
  expect(events).toHaveLength(before)
  expect(session.metrics).toEqual([])
  expect(exchanges).toMatchObject([{ generation: 7, open: false }])
})

test('each attempt has channels of its own, which end with it', async () => {
  const { session, events, exchanges, deploy, running } = bench()
  deploy(0)
  await until(() => running() === graph.vertices.length)
  session.handle({ region: 0, attempt: 0, kind: 'cancel' })
  await until(() => events.at(-1)?.kind === 'cancelled')
  deploy(1)
  await until(() => running() === 2 * graph.vertices.length)
  expect(exchanges).toMatchObject([
    { generation: 7, open: false },
    { generation: 8, open: true },
  ])
  await session.close()
})

test('a broken channel fails its attempt', async () => {
  const { session, events, exchanges, deploy, running } = bench()
  deploy(0)
  await until(() => running() === graph.vertices.length)
  exchanges[0]?.fail(new Error('cut'))
  expect(events.at(-1)).toMatchObject({ attempt: 0, kind: 'failed', vertexId: '' })
  await session.close()
})
