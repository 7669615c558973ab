/** Reads the splits of a numbered source in turns, one batch of each. */
import type { PollResult, ReaderContext, SourceOutput, SourceReader } from '../api/source.ts'
import type { TimerHandle } from '../common/clock.ts'
import { cloneFunction } from '../common/clone-function.ts'
import { MIN_TIMESTAMP } from '../common/timestamps.ts'
import type { NumberedSourceOptions, NumberedSplit } from './numbered-split.ts'
import { RateLimiter } from './rate-limiter.ts'

/** Emits up to `limit` records from `split.next` on; returns the number of the one after them. */
type EmitRecords<T> = (output: SourceOutput<T>, split: NumberedSplit, limit: number) => number

interface EmitParts<T> {
  readonly recordAt: (n: number) => T
  readonly noTimestamp: number
}

/** Self-contained: see `cloneFunction`. */
function makeEmitLoop<T>({ recordAt, noTimestamp }: EmitParts<T>): EmitRecords<T> {
  return (output, split, limit) => {
    const step = split.step
    let n = split.next
    const end = Math.min(split.end ?? Number.POSITIVE_INFINITY, n + limit * step)
    for (; n < end && !output.blocked; n += step) {
      output.offset = n
      output.collect(recordAt(n), noTimestamp)
    }
    return n
  }
}

function makeEmit<T>(recordAt: (n: number) => T): EmitRecords<T> {
  const clone = cloneFunction<typeof makeEmitLoop<T>>(makeEmitLoop)
  return clone({ recordAt, noTimestamp: MIN_TIMESTAMP })
}

export class NumberedReader<T> implements SourceReader<T, NumberedSplit> {
  readonly #context: ReaderContext
  readonly #emit: EmitRecords<T>
  readonly #limiter: RateLimiter | undefined
  readonly #paused = new Set<string>()
  /** The first is read next, then goes to the end of the line. */
  #splits: NumberedSplit[] = []
  #noMoreSplits = false
  #timer: TimerHandle | undefined

  constructor(context: ReaderContext, options: NumberedSourceOptions<T>) {
    this.#context = context
    this.#emit = makeEmit(options.makeRecordAt())
    const rate = options.ratePerSecond
    if (rate !== undefined) {
      this.#limiter = new RateLimiter(context.clock, rate / context.runtime.parallelism)
    }
  }

  start(): void {}

  addSplits(splits: readonly NumberedSplit[]): void {
    this.#splits.push(...splits)
  }

  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true
  }

  poll(output: SourceOutput<T>): PollResult {
    const at = this.#splits.findIndex(candidate => !this.#paused.has(candidate.id))
    const split = this.#splits[at]
    if (split === undefined) {
      return this.#noMoreSplits && this.#splits.length === 0 ? 'end' : 'nothing'
    }
    const limit = this.#takeRate(output.batchSize)
    if (limit === 0) return 'nothing'
    output.selectSplit(split.id)
    const next = this.#emit(output, split, limit)
    this.#limiter?.giveBack(limit - (next - split.next) / split.step)
    this.#splits.splice(at, 1)
    if (split.end === undefined || next < split.end) this.#splits.push({ ...split, next })
    else output.finishSplit(split.id)
    return this.#splits.length === 0 && this.#noMoreSplits ? 'end' : 'more'
  }

  snapshotState(): readonly NumberedSplit[] {
    return [...this.#splits]
  }

  pauseOrResumeSplits(pause: readonly string[], resume: readonly string[]): void {
    for (const id of pause) this.#paused.add(id)
    for (const id of resume) this.#paused.delete(id)
  }

  close(): void {
    this.#timer?.cancel()
    this.#splits = []
    this.#noMoreSplits = true
  }

  /** How many records the rate allows now; when none, the task is woken in time for the next. */
  #takeRate(wanted: number): number {
    if (this.#limiter === undefined) return wanted
    const allowed = this.#limiter.take(wanted)
    if (allowed === 0) {
      this.#timer?.cancel()
      this.#timer = this.#context.clock.schedule(this.#limiter.delayMs(), this.#context.wakeUp)
    }
    return allowed
  }
}
