/**
 * The handler against the definition of a consistent cut, by brute force: whatever the order in
 * which data, barriers, timers, cancel markers and ends come, a snapshot that is taken holds, per
 * channel, exactly what was sent before the barrier: processed, or recorded on either side.
 */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type {
  BarrierDecision,
  BarrierHandler,
} from '../../../src/runtime/checkpointing/barrier-decision.ts'
import { makeBarrierHandler } from '../../../src/runtime/checkpointing/barrier-handler.ts'
import type { InFlightItem } from '../../../src/runtime/network/channel.ts'
import { InputGate } from '../../../src/runtime/network/input-gate.ts'
import { RecordBatch, type StreamItem } from '../../../src/runtime/network/stream-item.ts'
import type { BarrierAlignment } from '../../../src/runtime/task-contract.ts'
import { barrierOf, plainNumbers } from '../../contract/channel.ts'
import { SlowChannel } from '../network/slow-channel.ts'
import { at } from './handler-script.ts'

const CHANNELS = 3
const TIMEOUT_MS = 12
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

interface Sender {
  readonly channel: SlowChannel
  sent: number
  /** Of the next checkpoint that it sends a barrier or a cancel marker of. */
  nextId: number
  ended: boolean
  /** By checkpoint: how much was sent before it, and what the barrier overtook here. */
  readonly cuts: Map<number, { readonly sent: number; readonly overtaken: number[] }>
}

/** By checkpoint, as the task sees it. */
interface Cut {
  readonly processed: readonly number[]
  readonly recorded: number[][]
  taken: boolean
}

interface Setting {
  /** By channel: no barrier overtakes there. */
  readonly forced: readonly boolean[]
  /** Checkpoint n has the form of index n. */
  readonly forms: readonly BarrierAlignment[]
  readonly picks: readonly number[]
}

class Model {
  readonly senders: readonly Sender[]
  readonly cuts = new Map<number, Cut>()
  readonly declined = new Set<number>()
  readonly cancelled = new Set<number>()
  readonly #setting: Setting
  readonly #handler: BarrierHandler
  readonly #gate: InputGate
  readonly #processed: number[][]
  readonly #blocked = new Set<number>()
  #timerAt = Number.POSITIVE_INFINITY
  #now = 0

  constructor(setting: Setting) {
    this.#setting = setting
    this.senders = upTo(CHANNELS).map(() => ({
      channel: new SlowChannel({ sendItems: 1_000, receiveItems: 4 }),
      sent: 0,
      nextId: 1,
      ended: false,
      cuts: new Map(),
    }))
    this.#processed = this.senders.map(() => [])
    this.#gate = new InputGate(this.senders.map(({ channel }) => ({ channel, input: 0 })))
    this.#gate.listen({ whenData: () => {}, whenPriority: () => {} })
    this.#handler = makeBarrierHandler({ mode: 'exactly-once', channelCount: CHANNELS })
  }

  /** A pick is a channel and what happens there. */
  step(pick: number): void {
    this.#now++
    const index = pick % CHANNELS
    const sender = this.senders[index] as Sender
    const action = Math.floor(pick / CHANNELS) % 16
    if (action <= 2) this.#send(sender)
    else if (action <= 4) sender.channel.move()
    else if (action <= 8) this.receive()
    else if (action === 9) this.#hasten(sender, index)
    else if (action === 10 && pick % 7 === 0) this.#sendCancel(sender)
    else if (action === 10 && pick % 31 === 0) this.#end(sender)
    else if (pick % 16 === 0 || this.#isNext(sender)) this.#sendBarrier(sender, index)
  }

  /** Everything comes to its end: what was begun is completed by all senders. */
  finish(): void {
    const newest = Math.max(...this.senders.map(({ nextId }) => nextId)) - 1
    for (const [index, sender] of this.senders.entries()) {
      while (!sender.ended && sender.nextId <= newest) this.#sendBarrier(sender, index)
    }
    for (let idle = 0; idle < 3; idle++) {
      this.#now += TIMEOUT_MS
      for (const { channel } of this.senders) while (channel.move());
      while (this.receive()) idle = 0
    }
    expect(this.#blocked.size).toBe(0)
    expect(this.#processed).toEqual(this.senders.map(({ sent }) => upTo(sent)))
    const isLost = this.cancelled.has(newest) || this.declined.has(newest) || newest === 0
    const isTaken = this.cuts.get(newest)?.taken === true
    // The last one has no rival: it is taken unless a sender gave it up, or nobody is left.
    const someOpen = this.senders.some(({ ended }) => !ended)
    if (!isLost && someOpen) expect(`${newest} ${isTaken}`).toBe(`${newest} true`)
  }

  /** One step of the task; false when it has nothing to do. */
  receive(): boolean {
    const gate = this.#gate
    while (gate.hasPriority) {
      const priority = gate.pollPriority()
      if (priority === undefined) break
      const { barrier, announced, channel } = priority
      this.#perform(
        announced
          ? this.#handler.onAnnounced(barrier, at(this.#now))
          : this.#handler.onBarrierAhead(barrier, channel, at(this.#now)),
      )
    }
    if (this.#timerAt <= this.#now) {
      this.#timerAt = Number.POSITIVE_INFINITY
      this.#perform(this.#handler.onTimer(at(this.#now)))
    }
    if (gate.batch !== undefined) {
      this.#process(gate.batch)
      return true
    }
    const item = gate.poll()
    if (item === undefined) return gate.hasPriority
    this.#take(item)
    return true
  }

  #take(item: StreamItem): void {
    const gate = this.#gate
    const channel = gate.polledChannel
    expect(this.#blocked.has(channel)).toBe(false)
    if (item.kind === 'records') {
      gate.batch = item
      gate.batchAt = 0
    } else if (item.kind === 'barrier') {
      this.#perform(this.#handler.onBarrier(item.barrier, channel, at(this.#now)))
    } else if (item.kind === 'cancel-barrier') {
      this.#perform(this.#handler.onCancel(item.checkpointId))
    } else if (item.kind === 'end-of-partition') {
      this.#perform(this.#handler.onEndOfPartition(channel, at(this.#now)))
    }
  }

  #process(batch: RecordBatch): void {
    const gate = this.#gate
    this.#processed[gate.polledChannel]?.push(batch.items[gate.batchAt] as number)
    gate.batchAt += 2
    if (gate.batchAt === batch.size * 2) gate.batch = undefined
  }

  #perform(decisions: readonly BarrierDecision[]): void {
    for (const decision of decisions) this.#performOne(decision)
  }

  #performOne(decision: BarrierDecision): void {
    switch (decision.kind) {
      case 'block':
        this.#blocked.add(decision.channel)
        this.#gate.block(decision.channel)
        break
      case 'unblock-all':
        this.#blocked.clear()
        this.#gate.unblockAll()
        break
      case 'set-timer':
        this.#timerAt = decision.at
        break
      case 'snapshot': {
        const { checkpointId } = decision.barrier
        expect(this.cuts.has(checkpointId)).toBe(false)
        const recorded = this.senders.map((): number[] => [])
        const processed = this.#processed.map(numbers => numbers.length)
        this.cuts.set(checkpointId, { processed, recorded, taken: false })
        for (const channel of decision.record ?? []) {
          const items = this.#gate.beginRecording(channel, checkpointId)
          recorded[channel]?.push(...plainNumbers(items))
        }
        if (decision.record === undefined) this.#taken(checkpointId)
        break
      }
      case 'finish-recording':
        this.#finishRecording(decision.checkpointId, decision.channel)
        break
      case 'recorded':
        this.#taken(decision.checkpointId)
        break
      case 'abort':
        this.declined.add(decision.checkpointId)
        for (const { channel } of this.senders) channel.endRecording(decision.checkpointId)
        break
      case 'forward-cancel':
        break
    }
  }

  #finishRecording(checkpointId: number, channel: number): void {
    const items: readonly InFlightItem[] = this.#gate.endRecording(channel, checkpointId)
    this.cuts.get(checkpointId)?.recorded[channel]?.push(...plainNumbers(items))
  }

  #taken(checkpointId: number): void {
    const cut = this.cuts.get(checkpointId)
    expect([cut?.taken, this.declined.has(checkpointId)]).toEqual([false, false])
    if (cut !== undefined) cut.taken = true
  }

  /** What every snapshot that was taken must hold. */
  check(): void {
    for (const [checkpointId, { processed, recorded, taken }] of this.cuts) {
      if (!taken) continue
      for (const [index, { cuts, sent, channel }] of this.senders.entries()) {
        const own = cuts.get(checkpointId)
        // Its barrier still waits at the sender: the sender's part is not whole.
        if (own === undefined || channel.holds(checkpointId)) continue
        const state = [...upTo(processed[index] ?? 0), ...(recorded[index] ?? []), ...own.overtaken]
        const name = `${checkpointId}/${index}`
        expect(`${name}: ${state.join()}`).toBe(`${name}: ${upTo(own.sent).join()}`)
        expect(sent).toBeGreaterThanOrEqual(own.sent)
      }
    }
  }

  /** No other sender is behind: as when one checkpoint is taken at a time. */
  #isNext({ nextId }: Sender): boolean {
    return this.senders.every(sender => sender.ended || sender.nextId >= nextId)
  }

  #send(sender: Sender): void {
    if (sender.ended) return
    const count = 1 + (sender.sent % 3)
    const values = upTo(count).map(n => sender.sent + n)
    sender.sent += count
    sender.channel.send(
      new RecordBatch(
        values.flatMap(n => [n, 0]),
        count,
      ),
    )
  }

  #sendBarrier(sender: Sender, index: number): void {
    if (sender.ended) return
    const id = sender.nextId++
    const form = this.#setting.forms[id % this.#setting.forms.length] as BarrierAlignment
    const overtaken: number[] = []
    sender.cuts.set(id, { sent: sender.sent, overtaken })
    const barrier = barrierOf(id, form)
    if (form.kind === 'unaligned' && this.#setting.forced[index] !== true) {
      overtaken.push(...plainNumbers(sender.channel.overtake(barrier)))
    } else sender.channel.send({ kind: 'barrier', barrier })
  }

  #hasten(sender: Sender, index: number): void {
    const id = sender.nextId - 1
    const cut = sender.cuts.get(id)
    const form = this.#setting.forms[id % this.#setting.forms.length]
    if (cut === undefined || form?.kind !== 'timeout' || this.#setting.forced[index] === true)
      return
    const items = sender.channel.hasten(barrierOf(id, { kind: 'unaligned' }))
    cut.overtaken.push(...plainNumbers(items ?? []))
  }

  #sendCancel(sender: Sender): void {
    if (sender.ended) return
    const checkpointId = sender.nextId++
    this.cancelled.add(checkpointId)
    sender.channel.send({ kind: 'cancel-barrier', checkpointId })
  }

  #end(sender: Sender): void {
    if (sender.ended) return
    sender.ended = true
    sender.channel.send({ kind: 'end-of-partition' })
  }
}

const setting: fc.Arbitrary<Setting> = fc.record({
  forced: fc.array(fc.boolean(), { minLength: CHANNELS, maxLength: CHANNELS }),
  forms: fc.array(
    fc.constantFrom<BarrierAlignment>(
      { kind: 'aligned' },
      { kind: 'unaligned' },
      { kind: 'timeout', timeoutMs: TIMEOUT_MS },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  picks: fc.array(fc.nat(10_000), { minLength: 20, maxLength: 300, size: 'max' }),
})

test('B1 to B7: every snapshot that is taken is a consistent cut', () => {
  let taken = 0
  let recorded = 0
  fc.assert(
    fc.property(setting, one => {
      const model = new Model(one)
      for (const pick of one.picks) model.step(pick)
      model.finish()
      model.check()
      for (const cut of model.cuts.values()) {
        if (cut.taken) taken++
        if (cut.taken && cut.recorded.some(numbers => numbers.length > 0)) recorded++
      }
    }),
    { numRuns: 200 },
  )
  expect(taken).toBeGreaterThan(400)
  expect(recorded).toBeGreaterThan(100)
})
