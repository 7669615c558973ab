import { afterEach, expect, test } from '@jest/globals'
import type { JobEdge, JobGraph } from '../../../src/graph/job-graph.ts'
import type { Exchange, InputChannel } from '../../../src/runtime/network/channel.ts'
import { RecordBatch, type StreamItem } from '../../../src/runtime/network/stream-item.ts'
import { record } from '../../../src/schema/record.ts'
import { z } from '../../../src/schema/z.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { countingJob } from '../../cluster/counting-job.ts'
import { JobRunner } from '../job-runner.ts'
import { edgeOf } from './edge-fixture.ts'
import { Slots, type SlotsOptions } from './slots-fixture.ts'

const Item = record({ id: z.int32(), text: z.string() })
const edge: JobEdge = { ...edgeOf({ kind: 'rebalance' }), type: Item as JobEdge['type'] }
const graph = { edges: [edge] } as unknown as JobGraph

let slots: Slots | undefined
afterEach(async () => {
  await slots?.stop()
  slots = undefined
})

async function start(options: Partial<SlotsOptions> = {}): Promise<Slots> {
  slots = await Slots.start({ graph, ...options })
  return slots
}

function batch(first: number, size: number, text = 'x'): RecordBatch {
  const items = Array.from({ length: size }, (_, i) => [{ id: first + i, text }, first + i])
  return new RecordBatch(items.flat(), size)
}

/** Takes until the end of the partition. */
async function takeAll(input: InputChannel): Promise<StreamItem[]> {
  const items: StreamItem[] = []
  let wake = (): void => {}
  input.listen({ whenData: () => wake(), whenPriority: () => wake() })
  for (;;) {
    const item = input.poll()
    if (item !== undefined) items.push(item)
    if (item?.kind === 'end-of-partition') return items
    if (item === undefined) await new Promise<void>(resolve => (wake = resolve))
  }
}

function idsOf(items: readonly StreamItem[]): number[] {
  return items.flatMap(item =>
    item.kind === 'records'
      ? item.items.filter((_, i) => i % 2 === 0).map(value => (value as { id: number }).id)
      : [],
  )
}

test.each(['unix', 'tcp'] as const)('records arrive in order over %s', async transport => {
  const { exchanges } = await start({ transport })
  const [a, b] = exchanges
  const output = a?.output(edge, 0, 1)
  const taken = takeAll(b?.input(edge, 0, 1) as InputChannel)
  for (let n = 0; n < 100; n++) output?.send(batch(n * 100, 100))
  output?.send({ kind: 'watermark', watermark: 7 })
  output?.send({ kind: 'end-of-partition' })
  const items = await taken
  expect(idsOf(items)).toEqual(Array.from({ length: 10_000 }, (_, i) => i))
  expect(items.at(-2)).toEqual({ kind: 'watermark', watermark: 7 })
  expect(slots?.failures).toEqual([])
})

test('OL4: a channel that is made later than its receiver finds its credits', async () => {
  const second: JobEdge = { ...edge, id: 'second' }
  const both = { edges: [edge, second] } as unknown as JobGraph
  const { exchanges } = await start({ graph: both })
  const [a, b] = exchanges
  a?.output(edge, 0, 1)
  b?.input(edge, 0, 1)
  const taken = takeAll(b?.input(second, 0, 1) as InputChannel)
  await slots?.connected()
  await slots?.settle()
  const late = a?.output(second, 0, 1)
  late?.send(batch(0, 10))
  late?.send({ kind: 'end-of-partition' })
  expect(idsOf(await taken)).toEqual(Array.from({ length: 10 }, (_, i) => i))
  expect(slots?.failures).toEqual([])
})

test('a record larger than all credits arrives whole', async () => {
  const { exchanges } = await start()
  const [a, b] = exchanges
  const output = a?.output(edge, 0, 1)
  const taken = takeAll(b?.input(edge, 0, 1) as InputChannel)
  output?.send(batch(0, 1, 'y'.repeat(3_000_000)))
  output?.send(batch(1, 1))
  output?.send({ kind: 'end-of-partition' })
  const items = await taken
  expect(idsOf(items)).toEqual([0, 1])
  const [first] = items
  expect(first?.kind === 'records' && (first.items[0] as { text: string }).text.length).toBe(
    3_000_000,
  )
})

test('a job runs across slots', async () => {
  const counting = countingJob({ records: 5_000, keys: 70 })
  const options = { parallelism: 3 }
  const { graph: whole } = new JobRunner(counting.job, options).plan
  const all = await start({ graph: whole, slots: 3 })
  const exchange: Exchange & { moveAll(): void } = {
    output: (edge, from, to) => all.exchange(from).output(edge, from, to),
    input: (edge, from, to) => all.exchange(to).input(edge, from, to),
    moveAll: () => {},
  }
  await new JobRunner(counting.job, { ...options, realTime: true, exchange }).runToEnd()
  counting.check()
  expect(all.failures).toEqual([])
})

test('NE2: one timer lets the open frames of all channels go', async () => {
  const clock = new ManualClock()
  const all = await start({ slots: 3, clock })
  const outputs = [1, 2].map(to => all.exchange(0).output(edge, 0, to))
  const inputs = [1, 2].map(to => all.exchange(to).input(edge, 0, to))
  for (const output of outputs) output.send({ kind: 'watermark', watermark: 1 })
  while (inputs.some(input => input.isEmpty)) await new Promise(setImmediate)
  for (const input of inputs) input.poll()
  await all.settle()
  const before = clock.pending
  for (const output of outputs) output.send(batch(0, 1))
  expect(clock.pending).toBe(before + 1)
  await all.settle()
  expect(inputs.map(input => input.isEmpty)).toEqual([true, true])
  clock.advance(5)
  await all.settle()
  expect(inputs.map(input => input.isEmpty)).toEqual([false, false])
  expect(clock.pending).toBe(before)
})

test('without a buffer timeout a record leaves at the end of the turn', async () => {
  const clock = new ManualClock()
  const all = await start({ clock, settings: { bufferTimeoutMs: 0 } })
  const output = all.exchange(0).output(edge, 0, 1)
  const input = all.exchange(1).input(edge, 0, 1)
  for (let i = 0; i < 3; i++) output.send(batch(i, 1))
  while (input.isEmpty) await new Promise(setImmediate)
  const item = input.poll()
  expect(item?.kind === 'records' && item.size).toBe(3)
})
