/** Records at a steady rate through one shuffle: each carries the time at which it was due. */
import {
  type EnumeratorContext,
  job,
  type PollResult,
  type ReaderContext,
  record,
  type Source,
  type SourceOutput,
  type SourceReader,
  type SourceSplit,
  z,
} from 'weir'
import { countingSink, nowMs } from './measure.ts'

const Tick = record({ key: z.int32(), dueMs: z.number(), note: z.string() })
type Tick = { key: number; dueMs: number; note: string }

/** About the size of a bid. */
const NOTE = 'a record of about the size of a bid, in three short texts and some numbers besides'

/** Records are due one after the other; those that are due go, and none is left out. */
function ticks(rate: number, seconds: number): Source<Tick> {
  return {
    name: 'ticks',
    boundedness: 'bounded',
    output: Tick,
    createEnumerator: (context: EnumeratorContext<SourceSplit>) => ({
      start() {},
      addReader(subtask) {
        context.assignSplit({ id: `ticks-${subtask}` }, subtask)
        context.signalNoMoreSplits(subtask)
      },
      handleSplitRequest() {},
      addSplitsBack() {},
      snapshotState: () => null,
      close() {},
    }),
    createReader: context => new Reader(context, rate, seconds),
  }
}

class Reader implements SourceReader<Tick, SourceSplit> {
  readonly #context: ReaderContext
  readonly #everyMs: number
  readonly #count: number
  #splits: readonly SourceSplit[] = []
  #beganMs = 0
  #next = 0

  constructor(context: ReaderContext, rate: number, seconds: number) {
    this.#context = context
    this.#everyMs = (1_000 * context.runtime.parallelism) / rate
    this.#count = (seconds * 1_000) / this.#everyMs
  }

  start(): void {}
  notifyNoMoreSplits(): void {}

  addSplits(splits: readonly SourceSplit[]): void {
    this.#splits = splits
  }

  poll(output: SourceOutput<Tick>): PollResult {
    if (this.#splits.length === 0) return 'nothing'
    if (this.#beganMs === 0) this.#beganMs = nowMs()
    const due = Math.min(this.#count, Math.floor((nowMs() - this.#beganMs) / this.#everyMs))
    const end = Math.min(due, this.#next + output.batchSize)
    for (; this.#next < end && !output.blocked; this.#next++) {
      const dueMs = this.#beganMs + this.#next * this.#everyMs
      const key = Math.imul(this.#next, 0x9e3779b1) >>> 12
      output.collect({ key, dueMs, note: NOTE }, Number.NEGATIVE_INFINITY)
    }
    if (this.#next >= this.#count) return 'end'
    if (this.#next < due) return 'more'
    this.#context.clock.schedule(1, this.#context.wakeUp)
    return 'nothing'
  }

  snapshotState(): readonly SourceSplit[] {
    return this.#splits
  }

  close(): void {}
}

export default job('latency', env => {
  const { args, parallelism } = env
  const rate = args.int('rate', 100_000)
  env
    .from(ticks(rate, args.int('seconds', 12)))
    .uid('ticks')
    .keyBy(tick => tick.key)
    .process<Tick>({
      output: Tick,
      processElement: (tick, _context, out) => out.collect(tick),
    })
    .uid('pass')
    .to(
      countingSink<Tick>({
        folder: args.get('report', 'report'),
        dueMs: tick => tick.dueMs,
        warmUpRows: (args.int('warmUpSeconds', 4) * rate) / parallelism,
      }),
    )
    .uid('out')
})
