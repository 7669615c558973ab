/**
 * Drives a source by hand, without a runtime: an enumerator and its readers in one thread.
 * Snapshots travel as JSON text, as they do in a checkpoint.
 */
import type {
  EnumeratorContext,
  JsonValue,
  PollResult,
  Source,
  SourceOutput,
  SourceReader,
  SourceSplit,
  SplitEnumerator,
} from '../../src/api/source.ts'
import { type Clock, SystemClock } from '../../src/common/clock.ts'

export interface Emitted<T> {
  readonly value: T
  readonly timestamp: number
  readonly splitId: string
  readonly offset: number
}

export interface SourceSnapshot {
  readonly enumerator: JsonValue
  readonly splits: readonly SourceSplit[]
}

export interface SourceRunOptions {
  readonly parallelism: number
  readonly batchSize?: number
  readonly clock?: Clock
  readonly restored?: SourceSnapshot | undefined
}

type Any = Source<unknown, SourceSplit>

/** What one reader emits; throws on the contract's broken rules. */
class RecordingOutput implements SourceOutput<unknown> {
  readonly batchSize: number
  readonly run: SourceRun<unknown>
  blocked = false
  offset = -1
  polling = false
  emittedInPoll = 0
  #splitId: string | undefined
  readonly #finished = new Set<string>()

  constructor(run: SourceRun<unknown>, batchSize: number) {
    this.run = run
    this.batchSize = batchSize
  }

  selectSplit(splitId: string): void {
    if (this.#finished.has(splitId)) throw new Error(`split ${splitId} was finished before`)
    this.#splitId = splitId
  }

  collect(value: unknown, timestamp: number): void {
    if (!this.polling) throw new Error('a record outside of poll')
    if (this.blocked) throw new Error('a record although the output is blocked')
    if (this.#splitId === undefined) throw new Error('a record before selectSplit')
    if (++this.emittedInPoll > this.batchSize) throw new Error('more than batchSize records')
    this.run.emitted.push({ value, timestamp, splitId: this.#splitId, offset: this.offset })
  }

  finishSplit(splitId: string): void {
    this.#finished.add(splitId)
  }

  reject(error: unknown, record: unknown): void {
    this.run.rejected.push({ error, record, offset: this.offset, splitId: this.#splitId ?? '' })
  }
}

interface Subtask {
  readonly reader: SourceReader<unknown, SourceSplit>
  readonly output: RecordingOutput
  ended: boolean
}

export class SourceRun<T> {
  readonly emitted: Emitted<T>[] = []
  readonly rejected: { error: unknown; record: unknown; offset: number; splitId: string }[] = []
  readonly #options: SourceRunOptions
  readonly #clock: Clock
  readonly #enumerator: SplitEnumerator<SourceSplit>
  readonly #subtasks: Subtask[] = []
  #failure: { readonly error: unknown } | undefined
  #wake: () => void = () => {}
  #woken = false
  #next = 0

  private constructor(source: Source<T, SourceSplit>, options: SourceRunOptions) {
    this.#options = options
    this.#clock = options.clock ?? new SystemClock()
    const context: EnumeratorContext<SourceSplit> = {
      parallelism: options.parallelism,
      clock: this.#clock,
      assignSplit: (split, subtask) => {
        this.#subtasks[subtask]?.reader.addSplits([roundTrip(split)])
        this.#onWake()
      },
      signalNoMoreSplits: subtask => {
        this.#subtasks[subtask]?.reader.notifyNoMoreSplits()
        this.#onWake()
      },
      fail: error => {
        this.#failure = { error }
        this.#onWake()
      },
    }
    this.#enumerator = source.createEnumerator(context, options.restored?.enumerator)
    for (let i = 0; i < options.parallelism; i++) this.#subtasks.push(this.#makeSubtask(source, i))
  }

  static async start<T>(
    source: Source<T, SourceSplit>,
    options: SourceRunOptions,
  ): Promise<SourceRun<T>> {
    const run = new SourceRun<T>(source, options)
    await run.#start()
    return run
  }

  /** Polls the readers in turn until `count` records came or all ended. */
  async runUntil(count: number): Promise<void> {
    while (this.emitted.length < count && !this.ended) {
      if (this.#failure !== undefined) throw this.#failure.error
      this.#woken = false
      let idle = 0
      for (let i = 0; i < this.#subtasks.length && this.emitted.length < count; i++) {
        if (this.pollNext() === 'nothing') idle++
      }
      const live = this.#subtasks.filter(subtask => !subtask.ended).length
      if (live > 0 && idle >= live) await this.#sleep()
    }
  }

  runToEnd(): Promise<void> {
    return this.runUntil(Number.POSITIVE_INFINITY)
  }

  get ended(): boolean {
    return this.#subtasks.every(subtask => subtask.ended)
  }

  block(blocked: boolean): void {
    for (const subtask of this.#subtasks) subtask.output.blocked = blocked
  }

  /** One poll of the reader whose turn it is. */
  pollNext(): PollResult | undefined {
    const subtask = this.#subtasks[this.#next++ % this.#subtasks.length]
    if (subtask === undefined || subtask.ended) return undefined
    const { output } = subtask
    output.emittedInPoll = 0
    output.polling = true
    const result = subtask.reader.poll(output as never)
    output.polling = false
    subtask.ended = result === 'end'
    return result
  }

  snapshot(): SourceSnapshot {
    const splits = this.#subtasks.flatMap(subtask => subtask.reader.snapshotState(1))
    return roundTrip({ enumerator: this.#enumerator.snapshotState(1), splits })
  }

  async close(): Promise<void> {
    for (const subtask of this.#subtasks) await subtask.reader.close()
    await this.#enumerator.close()
  }

  #makeSubtask(source: Any, subtaskIndex: number): Subtask {
    const reader = source.createReader({
      runtime: {
        operatorName: source.name,
        subtaskIndex,
        parallelism: this.#options.parallelism,
        attempt: 0,
        count: () => {},
      },
      clock: this.#clock,
      requestSplit: () => {
        queueMicrotask(() => this.#enumerator.handleSplitRequest(subtaskIndex))
      },
      wakeUp: () => this.#onWake(),
    })
    const output = new RecordingOutput(
      this as unknown as SourceRun<unknown>,
      this.#options.batchSize ?? 64,
    )
    return { reader, output, ended: false }
  }

  async #start(): Promise<void> {
    const restored = this.#options.restored?.splits ?? []
    const dealt = this.#subtasks.map((_, i) =>
      restored.filter((_split, s) => s % this.#subtasks.length === i),
    )
    for (const [i, subtask] of this.#subtasks.entries()) {
      const splits = dealt[i] ?? []
      if (splits.length > 0) subtask.reader.addSplits(splits)
    }
    await this.#enumerator.start()
    for (const [i, subtask] of this.#subtasks.entries()) {
      this.#enumerator.addReader(i)
      await subtask.reader.start()
    }
  }

  #onWake(): void {
    this.#woken = true
    this.#wake()
  }

  async #sleep(): Promise<void> {
    if (this.#woken) return
    await new Promise<void>(resolve => {
      this.#wake = resolve
    })
  }
}

function roundTrip<V>(value: V): V {
  return JSON.parse(JSON.stringify(value)) as V
}
