/**
 * What the two ends of every channel promise about checkpoints: however a barrier passes the data,
 * what the receiver had polled, what it recorded and what the sender recorded are together what was
 * sent before the barrier, each record once and in order.
 */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type {
  InFlightItem,
  InputChannel,
  OutputChannel,
} from '../../src/runtime/network/channel.ts'
import { RecordBatch } from '../../src/runtime/network/stream-item.ts'
import type { BarrierAlignment, CheckpointBarrier } from '../../src/runtime/task-contract.ts'

export interface ChannelPair {
  readonly output: OutputChannel
  readonly input: InputChannel
  /** Lets everything arrive that can. */
  settle(): Promise<void>
  /** The numbers in recorded items: state that is decoded as a restore would decode it. */
  numbersOf(items: readonly InFlightItem[]): readonly number[]
  close(): Promise<void>
}

/** The records sent are numbers, with themselves as timestamps. */
export type OpenChannelPair = () => Promise<ChannelPair>

const unaligned: BarrierAlignment = { kind: 'unaligned' }
const timeout: BarrierAlignment = { kind: 'timeout', timeoutMs: 1 }

export function barrierOf(checkpointId: number, alignment: BarrierAlignment): CheckpointBarrier {
  return { checkpointId, timestamp: 0, kind: 'checkpoint', alignment }
}

/** Whatever holds the channel's numbers without recording: for transports of object references. */
export function plainNumbers(items: readonly InFlightItem[]): readonly number[] {
  return items.flatMap(item => (item.kind === 'records' ? numbersIn(item) : []))
}

function numbersIn(batch: RecordBatch): readonly number[] {
  return Array.from({ length: batch.size }, (_, i) => batch.items[i * 2] as number)
}

/** One step of a run; numbers count records. */
type Op =
  | { readonly kind: 'send'; readonly count: number }
  | { readonly kind: 'poll' | 'settle' | 'watermark' | 'hasten' | 'cut-receiver' }
  | { readonly kind: 'cut-sender'; readonly alignment: BarrierAlignment }

const ops: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('send' as const), count: fc.nat(40) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('poll' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('settle' as const, 'watermark', 'hasten', 'cut-receiver'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('cut-sender' as const),
      alignment: fc.constantFrom(unaligned, timeout, { kind: 'aligned' } as BarrierAlignment),
    }),
  },
)

/** Both tasks around one channel, one checkpoint at a time. */
class Run {
  readonly #pair: ChannelPair
  #sent = 0
  #polled: number[] = []
  /** Of the checkpoint that is being taken. */
  #id = 1
  #sentBefore: number | undefined
  #polledBefore: number | undefined
  #came = false
  #input: number[] = []
  #output: number[] = []
  completed = 0

  constructor(pair: ChannelPair) {
    this.#pair = pair
  }

  async step(op: Op): Promise<void> {
    switch (op.kind) {
      case 'send':
        this.#send(op.count)
        break
      case 'watermark':
        this.#pair.output.send({ kind: 'watermark', watermark: this.#sent })
        break
      case 'settle':
        await this.#pair.settle()
        break
      case 'poll':
        this.poll()
        break
      case 'cut-sender':
        if (this.#sentBefore === undefined) this.#cutSender(op.alignment)
        break
      case 'hasten':
        if (this.#sentBefore !== undefined) this.#hasten()
        break
      case 'cut-receiver':
        this.#priorities()
        if (this.#polledBefore === undefined) this.#cutReceiver()
    }
    this.#checkComplete()
  }

  /** False when nothing is left. */
  poll(): boolean {
    const { input } = this.#pair
    this.#priorities()
    const item = input.poll()
    if (item?.kind === 'records') this.#polled.push(...numbersIn(item))
    if (item?.kind === 'barrier') {
      expect(item.barrier.checkpointId).toBe(this.#id)
      expect(this.#polledBefore).toBe(undefined)
      this.#polledBefore = this.#polled.length
      this.#came = true
      expect(input.beginRecording(this.#id)).toEqual([])
      expect(input.endRecording(this.#id)).toEqual([])
    }
    this.#checkComplete()
    return item !== undefined
  }

  async finish(): Promise<void> {
    if (this.#sentBefore === undefined) this.#cutSender(unaligned)
    for (let idle = 0; idle < 3; idle++) {
      await this.#pair.settle()
      while (this.poll()) idle = 0
    }
    expect(this.#polled).toEqual(Array.from({ length: this.#sent }, (_, i) => i))
    expect(this.completed).toBe(this.#id - 1)
    expect(this.#sentBefore).toBe(undefined)
  }

  #send(count: number): void {
    if (count === 0) return
    const items = Array.from({ length: count }, (_, i) => this.#sent + i).flatMap(n => [n, n])
    this.#sent += count
    this.#pair.output.send(new RecordBatch(items, count))
  }

  #cutSender(alignment: BarrierAlignment): void {
    const { output, numbersOf } = this.#pair
    const barrier = barrierOf(this.#id, alignment)
    this.#sentBefore = this.#sent
    if (alignment.kind === 'unaligned') this.#output.push(...numbersOf(output.overtake(barrier)))
    else output.send({ kind: 'barrier', barrier })
  }

  #hasten(): void {
    const { output, numbersOf } = this.#pair
    const held = output.holds(this.#id)
    const overtaken = output.hasten(barrierOf(this.#id, unaligned))
    expect(overtaken !== undefined).toBe(held)
    expect(output.holds(this.#id)).toBe(false)
    this.#output.push(...numbersOf(overtaken ?? []))
  }

  #priorities(): void {
    const { input, numbersOf } = this.#pair
    for (let next = input.pollPriority(); next !== undefined; next = input.pollPriority()) {
      expect(next.barrier.checkpointId).toBe(this.#id)
      if (next.announced) continue
      expect(this.#came).toBe(false)
      this.#came = true
      if (this.#polledBefore === undefined) this.#cutReceiver()
      this.#input.push(...numbersOf(input.endRecording(this.#id)))
      this.#checkComplete()
    }
  }

  #cutReceiver(): void {
    const { input, numbersOf } = this.#pair
    this.#polledBefore = this.#polled.length
    this.#input.push(...numbersOf(input.beginRecording(this.#id)))
  }

  #checkComplete(): void {
    const { output } = this.#pair
    if (this.#sentBefore === undefined || !this.#came || output.holds(this.#id)) return
    const before = this.#polled.slice(0, this.#polledBefore)
    const cut = [...before, ...this.#input, ...this.#output]
    expect(cut).toEqual(Array.from({ length: this.#sentBefore }, (_, i) => i))
    this.completed++
    this.#id++
    this.#sentBefore = undefined
    this.#polledBefore = undefined
    this.#came = false
    this.#input = []
    this.#output = []
  }
}

export function channelContract(open: OpenChannelPair, numRuns = 300): void {
  test('however a barrier passes, a cut holds what was sent before it, once and in order', async () => {
    let completed = 0
    await fc.assert(
      fc.asyncProperty(fc.array(ops, { minLength: 1, maxLength: 60 }), async steps => {
        const pair = await open()
        try {
          const run = new Run(pair)
          for (const step of steps) await run.step(step)
          await run.finish()
          completed += run.completed
        } finally {
          await pair.close()
        }
      }),
      { numRuns },
    )
    expect(completed).toBeGreaterThan(numRuns)
  })

  test('what stands behind a barrier that overtook waits for it', async () => {
    const { output, input, settle, close } = await open()
    output.overtake(barrierOf(1, unaligned))
    output.send({ kind: 'watermark', watermark: 7 })
    await settle()
    expect(input.poll()).toBe(undefined)
    expect(input.pollPriority()).toEqual({ barrier: barrierOf(1, unaligned), announced: false })
    expect(input.poll()).toEqual({ kind: 'watermark', watermark: 7 })
    await close()
  })

  test('a barrier with a timeout is announced, and given once', async () => {
    const { output, input, settle, close } = await open()
    output.send({ kind: 'watermark', watermark: 7 })
    output.send({ kind: 'barrier', barrier: barrierOf(1, timeout) })
    await settle()
    expect(input.pollPriority()).toEqual({ barrier: barrierOf(1, timeout), announced: true })
    expect(input.pollPriority()).toBe(undefined)
    input.poll()
    expect(input.poll()).toEqual({ kind: 'barrier', barrier: barrierOf(1, timeout) })
    expect(input.pollPriority()).toBe(undefined)
    await close()
  })

  test('a watermark before a barrier does not take the value of one behind it', async () => {
    const { output, input, settle, close } = await open()
    output.send({ kind: 'watermark', watermark: 1 })
    const overtaken = output.overtake(barrierOf(1, unaligned))
    output.send({ kind: 'watermark', watermark: 2 })
    await settle()
    const recorded = [...input.beginRecording(1), ...input.endRecording(1), ...overtaken]
    expect(recorded).toEqual([{ kind: 'watermark', watermark: 1 }])
    await close()
  })
}
