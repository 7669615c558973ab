/**
 * What a source's reader emits into: timestamps, per-split progress and watermarks.
 *
 * Owns        per split: its record count, greatest timestamp, generator, idleness; the combined
 *             watermark and status of the subtask.
 * Leaves out  when to poll, and when a tick is due: the source operator says.
 *
 * Invariants
 *  P1  A record leaves before the watermark that it lets advance.
 *  P2  A split holds the watermark back from its assignment until it is finished or idle.
 *
 * Watermarks leave with the records, not only every interval: a bounded source reads millions of
 * records between two ticks, and whatever windows keep open meanwhile is state. An event ends the
 * open batch of every channel, so a watermark follows as many polls as there are channels: batches
 * are about full by then. Custom generators are asked at each interval only, as their contract
 * says.
 */
import type { SourceOutput } from '../api/source.ts'
import type { WatermarkGenerator, WatermarkStrategy } from '../api/watermark-strategy.ts'
import { foldCounts } from '../checkpoint/fold-counts.ts'
import { cloneFunction } from '../common/clone-function.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'
import type { RecordCoordinates } from '../schema/located-type.ts'
import { runtimeErrors } from './runtime-errors.ts'
import type { OperatorMetrics, Push, WatermarkStatus } from './stream-operator.ts'
import { type ErrorContext, type ErrorHandler, makeErrorHandler } from './user-function-errors.ts'
import type { AlignmentMember } from './watermark-alignment.ts'
import { IdlenessTimer } from './watermark-generators.ts'
import { WatermarkMultiplexer } from './watermark-multiplexer.ts'
import type { ValveOutput } from './watermark-valve.ts'

/** Records a poll gives at most: as many as a batch to the next task. */
const POLL_RECORDS = 512

/** Of those that have ended in this attempt: each snapshot carries their counts. */
const FINISHED_SPLITS_NAMED = 100

/** Progress of one split. `maxTimestamp` is a double from the start: no box per record. */
interface SplitProgress {
  readonly id: string
  records: number
  maxTimestamp: number
  /** `records` when its watermark was last looked at. */
  recordsSeen: number
  readonly generator: WatermarkGenerator<unknown> | undefined
  readonly idleness: IdlenessTimer | undefined
}

/** What makes the task stop its input. Asked after each record. */
export interface Brakes {
  readonly room: { readonly fullChannels: number }
  readonly blockables: readonly { readonly blocked: boolean }[]
}

export interface SourceOutputOptions {
  readonly sourceName: string
  readonly strategy: WatermarkStrategy<unknown>
  readonly context: ErrorContext
  readonly emit: Push
  readonly metrics: OperatorMetrics
  readonly brakes: Brakes
  /** See the file's head. */
  readonly pollsPerWatermark: number
  /** Where the strategy aligns the source with others. */
  readonly alignment: AlignmentMember | undefined
  /** Stops and resumes single splits; a reader that cannot is stopped as a whole. */
  readonly pauseOrResume: (pause: readonly string[], resume: readonly string[]) => void
  readonly output: ValveOutput
}

/**
 * What readers get. An object literal of plain fields, not the class below: readers touch it for
 * every record, and V8 may turn instances of a class with many private fields into dictionaries
 * once the instances before them were collected (a restarted job), which costs up to 50 ns an
 * access.
 */
interface PollOutput extends SourceOutput<unknown> {
  batchSize: number
  /** Set by the record that filled something up. */
  blocked: boolean
  collect: Push
}

export class SourceRecords {
  readonly output: SourceOutput<unknown>
  readonly #output: PollOutput
  readonly #options: SourceOutputOptions
  readonly #current: { split: SplitProgress }
  readonly #splits = new Map<string, SplitProgress>()
  /** Too far ahead of the alignment group. */
  readonly #paused = new Set<string>()
  readonly #finished = new Map<string, number>()
  readonly #watermarks: WatermarkMultiplexer
  readonly #malformed: ErrorHandler
  #status: WatermarkStatus = 'active'
  #splitlessSince: number | undefined
  #polling = false
  /** Polls with records since the last watermark. */
  #pollsWaiting = 0
  /** Records of this poll in splits that are finished. */
  #recordsOfFinished = 0

  constructor(options: SourceOutputOptions) {
    this.#options = options
    this.#malformed = makeErrorHandler(options.context, runtimeErrors.WEIR_RECORD_MALFORMED)
    this.#watermarks = new WatermarkMultiplexer({
      emitWatermark: watermark => {
        this.#emitStatus('active')
        this.#emitWatermark(watermark)
      },
      emitStatus: status => this.#emitStatus(status),
    })
    this.#current = { split: this.#makeSplit('') }
    this.#output = {
      batchSize: POLL_RECORDS,
      blocked: false,
      offset: 0,
      collect: options.emit,
      selectSplit: splitId => this.#selectSplit(splitId),
      finishSplit: splitId => this.#finishSplit(splitId),
      reject: (error, record) => this.#malformed.handle(error, record),
    }
    this.#output.collect = this.#makeCollect()
    this.output = this.#output
  }

  /** A split was assigned. */
  registerSplit(id: string): void {
    if (this.#splits.has(id)) return
    const split = this.#makeSplit(id)
    this.#splits.set(id, split)
    this.#watermarks.register(id)
    this.#splitlessSince = undefined
    this.#emitStatus('active')
    // A reader of a single split need not select it.
    if (this.#current.split.id === '') this.#current.split = split
  }

  #selectSplit(splitId: string): void {
    if (this.#current.split.id === splitId) return
    if (!this.#splits.has(splitId)) this.registerSplit(splitId)
    this.#current.split = this.#splits.get(splitId) as SplitProgress
  }

  #finishSplit(splitId: string): void {
    const split = this.#splits.get(splitId)
    if (split === undefined) return
    // What it gave in this poll, and let advance, counts before it goes.
    this.#recordsOfFinished += split.records - split.recordsSeen
    this.#noteRecords(split)
    this.#finished.set(splitId, (this.#finished.get(splitId) ?? 0) + split.records)
    foldCounts(this.#finished, { named: FINISHED_SPLITS_NAMED, isOpen: () => false })
    this.#splits.delete(splitId)
    this.#paused.delete(splitId)
    this.#watermarks.unregister(splitId)
    if (this.#current.split === split) this.#current.split = this.#makeSplit('')
  }

  /** `undefined` between polls: what is sent then, a watermark say, is of no record. */
  coordinates(): RecordCoordinates | undefined {
    if (!this.#polling) return undefined
    const split = this.#current.split.id
    return { source: this.#options.sourceName, split, offset: String(this.#output.offset) }
  }

  /** Records emitted per split by this attempt. */
  recordsPerSplit(): { readonly [splitId: string]: number } {
    const counts = new Map(this.#finished)
    for (const split of this.#splits.values()) {
      counts.set(split.id, (counts.get(split.id) ?? 0) + split.records)
    }
    return Object.fromEntries(counts)
  }

  /** Before a poll: the task saw that records can be taken. */
  beginPoll(batchSize: number): void {
    this.#output.batchSize = batchSize
    this.#output.blocked = false
    this.#polling = true
  }

  /**
   * After a poll: counts its records and, each few polls or when the reader has `nothing` more,
   * sends on the watermark that they let advance.
   */
  endPoll(nothing: boolean): void {
    const { strategy, metrics, pollsPerWatermark } = this.#options
    this.#polling = false
    let records = this.#recordsOfFinished
    this.#recordsOfFinished = 0
    const splits = this.#splits
    if (this.#current.split.id === '' && this.#current.split.records > 0) this.#adoptAnonymous()
    for (const split of splits.values()) {
      if (split.records === split.recordsSeen) continue
      records += split.records - split.recordsSeen
      this.#noteRecords(split)
    }
    if (records > 0) {
      metrics.recordsOut += records
      this.#pollsWaiting++
      this.#emitStatus('active')
    }
    const isDue = this.#pollsWaiting >= pollsPerWatermark || (nothing && this.#pollsWaiting > 0)
    if (!isDue) return
    this.#pollsWaiting = 0
    if (strategy.outOfOrdernessMs !== undefined) this.#watermarks.combine()
  }

  /**
   * Tells the alignment group where this source stands, and pauses the splits that are too far
   * ahead. True while all of them are: nothing should be polled.
   */
  align(): boolean {
    const { alignment, pauseOrResume } = this.#options
    if (alignment === undefined) return false
    alignment.report(this.#standing())
    const { limit } = alignment
    const paused = this.#paused
    const pause: string[] = []
    const resume: string[] = []
    for (const { id, watermark } of this.#watermarks.splits()) {
      const isAhead = watermark > limit
      if (isAhead === paused.has(id)) continue
      if (isAhead) {
        pause.push(id)
        paused.add(id)
      } else {
        resume.push(id)
        paused.delete(id)
        // It was silent because it was told to be: that is no idleness.
        this.#splits.get(id)?.idleness?.restart()
      }
    }
    if (pause.length + resume.length > 0) pauseOrResume(pause, resume)
    alignment.waiting = paused.size > 0
    return paused.size > 0 && paused.size === this.#watermarks.size
  }

  /** Every watermark interval. `now` stands still while the task is held back. */
  tick(now: number): void {
    const { strategy } = this.#options
    for (const split of this.#splits.values()) {
      // A paused split is silent because it was told to be.
      if (!this.#paused.has(split.id) && split.idleness?.probe(split.records, now) === true) {
        this.#watermarks.noteIdle(split.id, true)
        continue
      }
      const watermark = split.generator?.onPeriodicEmit()
      if (watermark !== undefined) this.#watermarks.note(split.id, watermark)
    }
    if (this.#splits.size > 0) this.#watermarks.combine()
    else if (strategy.idlenessMs > 0) this.#probeSplitless(now)
  }

  /** The end of event time. */
  end(): void {
    this.#emitStatus('active')
    this.#emitWatermark(MAX_TIMESTAMP)
  }

  #emitWatermark(watermark: number): void {
    this.#options.metrics.currentWatermark = watermark
    this.#options.output.emitWatermark(watermark)
  }

  /** A subtask that has had no split for so long must not hold the others back. */
  #probeSplitless(now: number): void {
    this.#splitlessSince ??= now
    if (now - this.#splitlessSince > this.#options.strategy.idlenessMs) this.#emitStatus('idle')
  }

  /** The slowest split that is not idle; MAX where none holds the group back. */
  #standing(): number {
    let least = MAX_TIMESTAMP
    for (const { watermark, idle } of this.#watermarks.splits()) {
      if (!idle && watermark < least) least = watermark
    }
    return least
  }

  #noteRecords(split: SplitProgress): void {
    split.recordsSeen = split.records
    const bound = this.#options.strategy.outOfOrdernessMs
    if (bound !== undefined) this.#watermarks.note(split.id, split.maxTimestamp - bound - 1)
  }

  /** Records came before any split was named: they are those of a split without a name. */
  #adoptAnonymous(): void {
    const { split } = this.#current
    if (this.#splits.has('')) return
    this.#splits.set('', split)
    this.#watermarks.register('')
  }

  #emitStatus(status: WatermarkStatus): void {
    if (status === this.#status) return
    this.#status = status
    this.#options.output.emitStatus(status)
  }

  #makeSplit(id: string): SplitProgress {
    const { strategy } = this.#options
    const builtIn = strategy.outOfOrdernessMs !== undefined
    return {
      id,
      records: 0,
      maxTimestamp: MIN_TIMESTAMP,
      recordsSeen: 0,
      generator: builtIn ? undefined : strategy.makeGenerator?.(),
      idleness: strategy.idlenessMs > 0 ? new IdlenessTimer(strategy.idlenessMs) : undefined,
    }
  }

  #makeCollect(): Push {
    const { strategy, context, brakes } = this.#options
    const emit = cloneFunction(makeBrakingEmit)({
      ...brakes,
      emit: this.#options.emit,
      output: this.#output,
    })
    const current = this.#current
    const generates =
      strategy.outOfOrdernessMs === undefined && strategy.makeGenerator !== undefined
    const push = generates
      ? cloneFunction(makeGeneratingCollect)({
          current,
          emit,
          advance: (split, watermark) => this.#watermarks.advance(split.id, watermark),
        })
      : cloneFunction(makeTrackingCollect)({ current, emit })
    const assign = strategy.timestampAssigner
    if (assign === undefined) return push
    const errors = makeErrorHandler(context)
    const invalid = (timestamp: unknown): Error =>
      runtimeErrors.WEIR_TIMESTAMP_INVALID({ timestamp: String(timestamp) })
    return cloneFunction(makeAssigningCollect)({ assign, errors, invalid, push })
  }
}

interface BrakingParts extends Brakes {
  readonly emit: Push
  readonly output: { blocked: boolean }
}

/** Self-contained: see `cloneFunction`. */
function makeBrakingEmit({ emit, room, blockables, output }: BrakingParts): Push {
  const [first] = blockables
  if (first === undefined) {
    return (value, timestamp) => {
      emit(value, timestamp)
      if (room.fullChannels !== 0) output.blocked = true
    }
  }
  const others = blockables.slice(1)
  return (value, timestamp) => {
    emit(value, timestamp)
    if (room.fullChannels !== 0 || first.blocked) output.blocked = true
    else if (others.length !== 0 && others.some(one => one.blocked)) output.blocked = true
  }
}

interface CollectParts {
  readonly current: { readonly split: SplitProgress }
  readonly emit: Push
}

/** Self-contained: see `cloneFunction`. The built-in watermarks need only the maximum. */
function makeTrackingCollect({ current, emit }: CollectParts): Push {
  return (value, timestamp) => {
    const { split } = current
    split.records++
    if (timestamp > split.maxTimestamp) split.maxTimestamp = timestamp
    emit(value, timestamp)
  }
}

/** Self-contained. The generator sees the record after it was emitted (P1). */
function makeGeneratingCollect({
  current,
  emit,
  advance,
}: CollectParts & { advance: (split: SplitProgress, watermark: number) => void }): Push {
  return (value, timestamp) => {
    const { split } = current
    split.records++
    emit(value, timestamp)
    const watermark = split.generator?.onEvent(value, timestamp)
    if (watermark !== undefined) advance(split, watermark)
  }
}

interface AssignParts {
  readonly assign: (value: unknown, sourceTimestamp: number) => number
  readonly errors: ErrorHandler
  readonly invalid: (timestamp: unknown) => Error
  readonly push: Push
}

/** Self-contained. What the operators behind throw must not reach this source's error policy. */
function makeAssigningCollect({ assign, errors, invalid, push }: AssignParts): Push {
  return (value, sourceTimestamp) => {
    let timestamp = 0
    try {
      timestamp = assign(value, sourceTimestamp)
      if (typeof timestamp !== 'number' || Number.isNaN(timestamp)) throw invalid(timestamp)
    } catch (error) {
      errors.handle(error, value)
      return
    }
    push(value, timestamp)
  }
}
