import type { ErrorPolicy, Key, KeySelector } from '../api/functions.ts'
import { assert } from '../common/assert.ts'
import { MIN_TIMESTAMP } from '../common/timestamps.ts'
import type { InnerOperatorSpec } from '../runtime/operators/create-operator.ts'
import type { OperatorMetrics, WatermarkStatus } from '../runtime/stream-operator.ts'
import { generalType } from '../schema/general-type.ts'
import type { Schema, Type } from '../schema/type.ts'
import { typeOf } from '../schema/type-of.ts'
import { foldKey, hashKey } from '../state/key.ts'
import { keyGroupOf, subtaskOfKeyGroup } from '../state/key-groups.ts'
import { type HarnessOutput, HarnessSubtask, type SubtaskSnapshot } from './harness-subtask.ts'
import { ManualClock } from './manual-clock.ts'
import { redistribute } from './redistribute.ts'

/** An operator as a job would declare it, and the conditions it is tested under. */
export interface HarnessOptions {
  readonly operator: InnerOperatorSpec
  /** One an input; absent when the operator is not keyed. */
  readonly keySelectors?: readonly KeySelector<never, Key>[]
  /** The schemas of the inputs; absent ones are held by the general codec. */
  readonly inputTypes?: readonly Schema<never>[]
  /** Default 1. */
  readonly parallelism?: number
  /** Default 128. */
  readonly maxParallelism?: number
  readonly errorPolicy?: ErrorPolicy
  /** Default: a new one that shows 0. */
  readonly clock?: ManualClock
  /**
   * The outputs claim to be full after every other timer: the operator must stop there and go on
   * when asked. What it emits must stay the same.
   */
  readonly interruptTimers?: boolean
}

/** The state of all subtasks between two records. */
export interface HarnessSnapshot {
  readonly subtasks: readonly SubtaskSnapshot[]
}

/** A record or a watermark that came out, and of which subtask. */
export type { HarnessOutput } from './harness-subtask.ts'

const CHECKPOINT_ID = 1

/**
 * Drives one operator by hand: records, watermarks and the clock go in, what it emits comes out.
 * The operator is the one that jobs run, on heap state, in any number of subtasks.
 *
 * ```ts
 * const harness = await OperatorHarness.open({
 *   operator: { kind: 'keyed-process', fn },
 *   keySelectors: [(order: Order) => order.customer],
 * })
 * harness.processElement(order, 1_000)
 * harness.processWatermark(5_000)
 * expect(harness.takeOutput()).toEqual([...])
 * ```
 */
export class OperatorHarness {
  readonly clock: ManualClock
  readonly #options: HarnessOptions
  readonly #parallelism: number
  #subtasks: readonly HarnessSubtask[] = []
  #output: HarnessOutput[] = []
  #next = 0

  /** Makes and opens the operator; from a snapshot, if given, at any parallelism. */
  static async open(options: HarnessOptions, snapshot?: HarnessSnapshot): Promise<OperatorHarness> {
    const harness = new OperatorHarness(options)
    await harness.#open(snapshot)
    return harness
  }

  private constructor(options: HarnessOptions) {
    this.#options = options
    this.#parallelism = options.parallelism ?? 1
    this.clock = options.clock ?? new ManualClock()
  }

  async #open(snapshot: HarnessSnapshot | undefined): Promise<void> {
    const { operator, keySelectors = [], inputTypes = [], errorPolicy } = this.#options
    const types: readonly Type<unknown>[] = inputTypes.map(type => typeOf(type as Schema<unknown>))
    const restores = redistribute(snapshot?.subtasks ?? [], this.#parallelism)
    this.#subtasks = restores.map((restored, subtaskIndex) => {
      return new HarnessSubtask({
        operator,
        keySelectors: keySelectors as readonly KeySelector<unknown, Key>[],
        inputTypes: types.length === 0 ? [generalType, generalType] : types,
        subtaskIndex,
        parallelism: this.#parallelism,
        maxParallelism: this.#maxParallelism,
        errorPolicy: errorPolicy ?? { kind: 'fail' },
        clock: this.clock,
        interruptTimers: this.#options.interruptTimers ?? false,
        restored: snapshot === undefined ? undefined : restored,
        collect: output => this.#output.push(output),
      })
    })
    for (const subtask of this.#subtasks) await subtask.open()
    await this.settle()
  }

  get #maxParallelism(): number {
    return this.#options.maxParallelism ?? 128
  }

  /**
   * Gives a record to the subtask that owns its key; without keys, to the subtasks in turn. Without
   * a timestamp the record has none.
   */
  processElement(value: unknown, timestamp = MIN_TIMESTAMP, input = 0): void {
    const subtask = this.#subtasks[this.#subtaskOf(value, input)] as HarnessSubtask
    assert(!subtask.blocked, 'a blocked operator takes no record: settle first')
    subtask.processElement(value, timestamp, input)
    this.#fireDue()
  }

  /** Gives a record of the broadcast side (input 1) to every subtask. */
  processBroadcastElement(value: unknown, timestamp = MIN_TIMESTAMP): void {
    for (const subtask of this.#subtasks) subtask.processElement(value, timestamp, 1)
    this.#fireDue()
  }

  #subtaskOf(value: unknown, input: number): number {
    const select = this.#options.keySelectors?.[input] as KeySelector<unknown, Key> | undefined
    if (select === undefined) return this.#next++ % this.#parallelism
    const group = keyGroupOf(hashKey(foldKey(select(value))), this.#maxParallelism)
    return subtaskOfKeyGroup(group, this.#maxParallelism, this.#parallelism)
  }

  /** A watermark on one input of all subtasks, or on every input, one after the other. */
  processWatermark(watermark: number, input?: number): void {
    for (const subtask of this.#subtasks) subtask.processWatermark(watermark, input)
    this.#fireDue()
  }

  /**
   * As `processWatermark` on all inputs, but with `interruptTimers` it stays where the operator
   * stopped: a snapshot can be taken there. `resume` goes on.
   */
  beginWatermark(watermark: number): void {
    for (const subtask of this.#subtasks) subtask.beginWatermark(watermark)
  }

  /** Goes on with interrupted timers; false when they were interrupted again. */
  resume(): boolean {
    return this.#subtasks.map(subtask => subtask.resume()).every(Boolean)
  }

  processStatus(status: WatermarkStatus): void {
    for (const subtask of this.#subtasks) subtask.processStatus(status)
  }

  /** Lets time pass; processing-time timers that fall due fire, with the clock at `nowMs`. */
  setProcessingTime(nowMs: number): void {
    this.clock.advanceTo(nowMs)
    this.#fireDue()
  }

  #fireDue(): void {
    for (const subtask of this.#subtasks) subtask.fireDue()
  }

  /** True while a subtask takes no record. */
  get blocked(): boolean {
    return this.#subtasks.some(subtask => subtask.blocked)
  }

  /** Lets promises that are settled take effect: for operators that wait for answers. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      await Promise.resolve()
      for (const subtask of this.#subtasks) if (subtask.runMail()) quiet = 0
    }
    this.#fireDue()
  }

  /** Ends all inputs. True when nothing is pending; else call it again. */
  finish(): boolean {
    return this.#subtasks.map(subtask => subtask.finish()).every(Boolean)
  }

  /** What came out since the last call, in order. */
  takeOutput(): readonly HarnessOutput[] {
    const taken = this.#output
    this.#output = []
    return taken
  }

  /** The values of the records among what came out since the last call. */
  takeValues(): readonly unknown[] {
    return this.takeOutput().flatMap(out => (out.kind === 'record' ? [out.value] : []))
  }

  /** Of one subtask. */
  metrics(subtaskIndex = 0): OperatorMetrics {
    return (this.#subtasks[subtaskIndex] as HarnessSubtask).metrics
  }

  /** Entries and timers in keyed state, of all subtasks. */
  stateEntries(): number {
    return this.#subtasks.reduce((sum, subtask) => sum + subtask.stateEntries(), 0)
  }

  async snapshot(): Promise<HarnessSnapshot> {
    const subtasks: SubtaskSnapshot[] = []
    for (const subtask of this.#subtasks) subtasks.push(await subtask.snapshot(CHECKPOINT_ID))
    return { subtasks }
  }

  /**
   * Takes a snapshot, throws the operator away and restores it, also at another parallelism. The
   * clock goes on; the watermark is unknown until the next one.
   */
  async restart(parallelism = this.#parallelism): Promise<OperatorHarness> {
    const snapshot = await this.snapshot()
    await this.close()
    const options = { ...this.#options, clock: this.clock, parallelism }
    const restarted = await OperatorHarness.open(options, snapshot)
    restarted.#output = [...this.#output, ...restarted.#output]
    return restarted
  }

  async close(): Promise<void> {
    for (const subtask of this.#subtasks) await subtask.close()
  }
}

/**
 * Promise callbacks may make further promises; this many turns without news are taken for quiet.
 */
const QUIET_TURNS = 20
