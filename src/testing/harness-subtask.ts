/** One subtask of an operator under the harness: its context, its state, and what it emits. */
import type { ErrorPolicy, Key, KeySelector } from '../api/functions.ts'
import { assert } from '../common/assert.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'
import { createOperator, type InnerOperatorSpec } from '../runtime/operators/create-operator.ts'
import type {
  OperatorContext,
  OperatorMetrics,
  StreamOperator,
  WatermarkStatus,
} from '../runtime/stream-operator.ts'
import type { Type } from '../schema/type.ts'
import { makeHeapBackend } from '../state/heap/heap-keyed-state-backend.ts'
import { makeOperatorStateBackend } from '../state/heap/heap-operator-state.ts'
import { keyGroupRange } from '../state/key-groups.ts'
import type {
  KeyedSnapshot,
  KeyedStateBackend,
  RestoredKeyedState,
} from '../state/keyed-state-backend.ts'
import type {
  OperatorStateBackend,
  OperatorStateSnapshot,
} from '../state/operator-state-backend.ts'
import type { ManualClock } from './manual-clock.ts'

/** `timestamp` is `MIN_TIMESTAMP` for a record without one. */
export type HarnessOutput =
  | { readonly kind: 'record'; readonly value: unknown; readonly timestamp: number }
  | {
      readonly kind: 'side-output'
      readonly tag: string
      readonly value: unknown
      readonly timestamp: number
    }
  | { readonly kind: 'watermark'; readonly watermark: number }
  | { readonly kind: 'status'; readonly status: WatermarkStatus }

export interface SubtaskSnapshot {
  readonly keyed: KeyedSnapshot | undefined
  readonly operatorState: readonly OperatorStateSnapshot[]
}

export interface SubtaskRestore {
  readonly keyed: readonly RestoredKeyedState[]
  readonly operatorState: readonly OperatorStateSnapshot[]
}

export interface SubtaskOptions {
  readonly operator: InnerOperatorSpec
  readonly keySelectors: readonly KeySelector<unknown, Key>[]
  readonly inputTypes: readonly Type<unknown>[]
  readonly subtaskIndex: number
  readonly parallelism: number
  readonly maxParallelism: number
  readonly errorPolicy: ErrorPolicy
  readonly clock: ManualClock
  readonly interruptTimers: boolean
  readonly restored: SubtaskRestore | undefined
  collect(output: HarnessOutput): void
}

const OPERATOR_NAME = 'operator'

export class HarnessSubtask {
  readonly metrics: OperatorMetrics = {
    recordsIn: 0,
    recordsOut: 0,
    lateRecordsDropped: 0,
    recordsSkipped: 0,
    deadLetters: 0,
    currentWatermark: MIN_TIMESTAMP,
  }
  readonly #options: SubtaskOptions
  readonly #operator: StreamOperator
  readonly #backend: KeyedStateBackend | undefined
  readonly #operatorState: OperatorStateBackend
  readonly #watermarks: number[] = []
  #mail: (() => void)[] = []
  #combined = MIN_TIMESTAMP
  #asked = 0

  constructor(options: SubtaskOptions) {
    this.#options = options
    const { subtaskIndex, maxParallelism, parallelism, clock, restored } = options
    if (options.keySelectors.length > 0) {
      const range = keyGroupRange(subtaskIndex, maxParallelism, parallelism)
      this.#backend = makeHeapBackend({
        operatorName: OPERATOR_NAME,
        maxParallelism,
        range,
        clock,
      })
      this.#backend.restore(restored?.keyed ?? [])
    }
    this.#operatorState = makeOperatorStateBackend(OPERATOR_NAME)
    this.#operatorState.restore(restored?.operatorState ?? [])
    this.#operator = createOperator(options.operator, this.#context())
  }

  async open(): Promise<void> {
    await this.#operator.open()
    for (const _ of this.#operator.inputs) this.#watermarks.push(MIN_TIMESTAMP)
  }

  get blocked(): boolean {
    return this.#operator.blocked
  }

  processElement(value: unknown, timestamp: number, input: number): void {
    const push = this.#operator.inputs[input]
    assert(push !== undefined, `the operator has an input ${input}`)
    push(value, timestamp)
  }

  processWatermark(watermark: number, input: number | undefined): void {
    if (input === undefined) {
      for (let i = 0; i < this.#watermarks.length; i++) this.processWatermark(watermark, i)
      return
    }
    this.#watermarks[input] = watermark
    const combined = Math.min(...this.#watermarks)
    if (combined <= this.#combined) return
    this.#combined = combined
    this.#toTheEnd(this.#operator.processWatermark(combined))
  }

  /** Sets the watermark of all inputs and leaves off where the timers are interrupted. */
  beginWatermark(watermark: number): void {
    this.#watermarks.fill(watermark)
    this.#combined = watermark
    this.#operator.processWatermark(watermark)
  }

  resume(): boolean {
    return this.#operator.resume()
  }

  processStatus(status: WatermarkStatus): void {
    this.#operator.processStatus(status)
  }

  fireDue(): void {
    const now = this.#options.clock.now()
    while (this.#operator.nextProcessingTime() <= now) {
      this.#toTheEnd(this.#operator.processTime(now))
    }
  }

  /** Goes on until the operator says that the burst of timers is over. */
  #toTheEnd(done: boolean): void {
    if (done) return
    assert(this.#options.interruptTimers, 'an operator only stops when its outputs are full')
    while (!this.#operator.resume());
  }

  /** Runs what was submitted to the mailbox; true when there was anything. */
  runMail(): boolean {
    const mail = this.#mail
    this.#mail = []
    for (const action of mail) action()
    return mail.length > 0
  }

  finish(): boolean {
    return this.#operator.finish()
  }

  stateEntries(): number {
    return this.#backend?.size().entries ?? 0
  }

  async snapshot(checkpointId: number): Promise<SubtaskSnapshot> {
    await this.#operator.prepareSnapshot(checkpointId)
    await this.#operator.snapshotState(checkpointId)
    const operatorState = this.#operatorState.snapshot()
    const run = this.#backend?.beginSnapshot(checkpointId)
    while (run?.step(MAX_TIMESTAMP) === false);
    return { keyed: run?.result(), operatorState }
  }

  async close(): Promise<void> {
    await this.#operator.close()
    this.#backend?.dispose()
  }

  #context(): OperatorContext {
    const { subtaskIndex, parallelism, maxParallelism, clock, collect } = this.#options
    const { keySelectors, inputTypes, errorPolicy, restored } = this.#options
    return {
      uid: OPERATOR_NAME,
      name: OPERATOR_NAME,
      jobId: 'harness',
      subtaskIndex,
      parallelism,
      maxParallelism,
      restoredCheckpointId: restored === undefined ? undefined : 1,
      runtime: {
        operatorName: OPERATOR_NAME,
        subtaskIndex,
        parallelism,
        attempt: 0,
        count: () => {},
      },
      clock,
      inputTypes,
      keySelectors,
      errorPolicy,
      metrics: this.metrics,
      mailbox: { submit: action => void this.#mail.push(action) },
      emit: (value, timestamp) => collect({ kind: 'record', value, timestamp }),
      sideOutput: tag => (value, timestamp) =>
        collect({ kind: 'side-output', tag, value, timestamp }),
      emitWatermark: watermark => collect({ kind: 'watermark', watermark }),
      emitStatus: status => collect({ kind: 'status', status }),
      keyedState: () => {
        assert(this.#backend !== undefined, 'the operator is keyed: the harness has key selectors')
        return this.#backend
      },
      operatorState: this.#operatorState,
      processingTime: () => clock.now(),
      outputFull: () => this.#options.interruptTimers && this.#asked++ % 2 === 0,
      coordinates: () => undefined,
      locate: () => {},
    }
  }
}
