/** What a manifest says of the network takes effect in the processes of its job, and is shown. */
import { afterEach, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { type Job, job } from '../../src/api/job.ts'
import { defaultSettings, settingsOf } from '../../src/cluster/job-settings.ts'
import type { JobManager } from '../../src/cluster/jobmanager/job-manager.ts'
import { jobMetrics } from '../../src/cluster/jobmanager/rest/job-metrics.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { datagen } from '../../src/connectors/datagen/datagen-source.ts'
import { sequence } from '../../src/connectors/datagen/generators.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { metricDefinitions } from '../../src/observability/metric-definitions.ts'
import { parseStreamJob } from '../../src/protocol/parse-stream-job.ts'
import type { NetworkSettings } from '../../src/runtime/network/network-settings.ts'
import { record } from '../../src/schema/record.ts'
import { collectSink } from '../../src/testing/collect-sink.ts'
import { gatedSink } from './gated-sink.ts'
import { ProcessBench, until } from './process-bench.ts'

const Tick = record({ id: z.int() })
let bench: ProcessBench | undefined

afterEach(async () => {
  await bench?.close()
  bench = undefined
})

/** As a manifest with these fields of `spec.network` has it. */
function networkOf(fields: string): NetworkSettings {
  const text = `apiVersion: weir.dev/v1alpha1
kind: StreamJob
metadata: { name: settings }
spec:
  job: { module: job.ts }
  network: { ${fields} }
`
  return settingsOf(parseStreamJob({ text, file: 'job.yaml' }).manifest.spec).network
}

async function start(one: Job, network: NetworkSettings): Promise<JobManager> {
  bench = new ProcessBench(one, 2)
  const checkpoint = { ...defaultSettings.checkpoint, intervalMs: undefined }
  const settings = { ...defaultSettings, checkpoint, network }
  const manager = await bench.jobManager({ settings })
  await bench.taskManagers(2)
  return manager
}

async function end(manager: JobManager): Promise<void> {
  expect(await manager.done).toMatchObject({ outcome: 'finished', restarts: 0 })
  await manager.close()
}

const ROWS = 100_000

/**
 * Two slots send more than all queues hold to one of them: its sink takes nothing until the gate is
 * opened. To the other nothing goes, so that the queues between the two fill up.
 */
function heldUp() {
  const gate = gatedSink<number>()
  gate.limit(0)
  const source = datagen({
    type: Tick,
    rows: ROWS,
    fields: { id: sequence() },
    ratePerSecond: 10_000_000,
  })
  const held = job(env => {
    env
      .from(source)
      .uid('ticks')
      .keyBy(() => 'the only one')
      .process<number>({
        processElement({ id }, _context, out) {
          out.collect(id)
        },
      })
      .uid('pass')
      .to(gate)
      .uid('out')
  })
  const check = (): void => expect(new Set(gate.results).size).toBe(ROWS)
  return { job: held, gate, check }
}

/** The input that holds most. */
function inputOf(manager: JobManager) {
  const edges = manager.taskManagers().flatMap(({ network }) => network?.edges ?? [])
  return edges
    .flatMap(({ input }) => input ?? [])
    .toSorted((a, b) => b.queuedFrames - a.queuedFrames)[0]
}

const threeBuffers = networkOf('buffersPerChannel: 3, floatingBuffersPerGate: 0')

describe('a task that takes nothing', () => {
  test('holds as many frames as its channel and its gate may have', async () => {
    const held = heldUp()
    const manager = await start(held.job, threeBuffers)
    await until(() => inputOf(manager)?.usage === 1)
    expect(inputOf(manager)).toEqual({
      queuedFrames: 3,
      credits: 0,
      usage: 1,
      frameBytes: 32_768,
    })
    held.gate.open()
    await end(manager)
    held.check()
  })

  test('is sent the smallest frames, where buffers are debloated', async () => {
    const held = heldUp()
    const network = networkOf('bufferDebloat: { enabled: true, target: 100ms }')
    const manager = await start(held.job, network)
    await until(() => inputOf(manager)?.frameBytes === 1_024)
    held.gate.open()
    await end(manager)
    held.check()
  })

  test('shows in every metric of the network', async () => {
    const held = heldUp()
    const manager = await start(held.job, threeBuffers)
    const observed = {
      job: manager,
      jobId: 'default.test',
      graph: planJob(held.job, { name: 'test', parallelism: 2 }),
      settings: defaultSettings,
      args: {},
      store: (bench as ProcessBench).store,
      clock: new SystemClock(),
      version: '1.0.0',
    }
    const valuesOf = (name: string): readonly number[] =>
      jobMetrics(observed).flatMap(sample => (sample.name === name ? sample.value : []))
    const highest = (name: string): number => Math.max(...valuesOf(name))
    await until(
      () =>
        highest('weir_network_backpressured_channels') === 1 &&
        highest('weir_network_input_usage_ratio') === 1,
    )
    const defined = Object.keys(metricDefinitions).filter(name => name.startsWith('weir_network_'))
    expect(defined.filter(name => valuesOf(name).length !== 2)).toEqual([])
    expect(highest('weir_network_output_queue_bytes')).toBeGreaterThan(32_768)
    expect(highest('weir_process_blocked_seconds')).toBe(0)
    held.gate.open()
    await end(manager)
  })
})

/** Frames that a run with a few thousand small records, one after the other, sends. */
async function framesOf(one: Job, network: NetworkSettings): Promise<number> {
  const manager = await start(one, network)
  let frames = 0
  // The last figures come before the slots are let go.
  void manager.done.then(() => {
    frames = Math.max(...manager.taskManagers().map(({ network: sent }) => sent?.framesSent ?? 0))
  })
  await end(manager)
  return frames
}

function trickle(bufferTimeout?: string): Job {
  return job(env => {
    if (bufferTimeout !== undefined) env.bufferTimeout(bufferTimeout as '1s')
    env
      .from(datagen({ type: Tick, rows: 3_000, ratePerSecond: 3_000, fields: { id: sequence() } }))
      .uid('ticks')
      .rebalance()
      .map(({ id }) => id)
      .to(collectSink())
      .uid('out')
  })
}

test('a longer buffer timeout makes fewer frames; the job’s own goes before the manifest', async () => {
  const [atOnce, late] = [networkOf('bufferTimeout: 0ms'), networkOf('bufferTimeout: 10s')]
  const few = await framesOf(trickle(), late)
  await bench?.close()
  const many = await framesOf(trickle(), atOnce)
  await bench?.close()
  const own = await framesOf(trickle('10s'), atOnce)
  expect(many).toBeGreaterThan(3 * few)
  expect(own).toBe(few)
})
