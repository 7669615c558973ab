/**
 * The source of the all-round job: more splits than readers, handed out as readers ask, so that
 * the enumerator's state, the readers' positions and splits on their way all have to survive.
 */
import type {
  EnumeratorContext,
  JsonValue,
  PollResult,
  ReaderContext,
  Source,
  SourceOutput,
  SourceReader,
  SourceSplit,
  SplitEnumerator,
} from 'weir'
import { type InputPlan, Ordered, OrderingInput } from './ordering-input.ts'

/** Splits that a reader reads side by side. */
const OPEN_SPLITS = 2
const TURN_RECORDS = 64
/** Time lost to backpressure or a pause is not caught up beyond this. */
const CATCH_UP_MS = 200

interface OrderingSplit extends SourceSplit {
  readonly split: number
  /** The next record. */
  readonly next: number
}

export interface OrderingOptions {
  readonly plan: InputPlan
  /** Records a second, of all readers together; 0: as fast as they are taken. */
  readonly rate: number
  readonly name: string
}

export function orderingSource(options: OrderingOptions): Source<Ordered, OrderingSplit> {
  const { plan, name } = options
  return {
    name,
    boundedness: 'bounded',
    output: Ordered,
    createEnumerator(context: EnumeratorContext<OrderingSplit>, state?: JsonValue) {
      const waiting = state as unknown as readonly OrderingSplit[] | undefined
      return new Enumerator(context, waiting ?? allSplits(plan))
    },
    createReader: (context: ReaderContext) => new Reader(context, options),
  }
}

function allSplits({ splits }: InputPlan): readonly OrderingSplit[] {
  return Array.from({ length: splits }, (_, split) => ({ id: `split-${split}`, split, next: 0 }))
}

class Enumerator implements SplitEnumerator<OrderingSplit> {
  readonly #context: EnumeratorContext<OrderingSplit>
  readonly #waiting: OrderingSplit[]

  constructor(context: EnumeratorContext<OrderingSplit>, waiting: readonly OrderingSplit[]) {
    this.#context = context
    this.#waiting = [...waiting]
  }

  start(): void {}
  addReader(): void {}

  handleSplitRequest(subtaskIndex: number): void {
    const split = this.#waiting.shift()
    if (split === undefined) this.#context.signalNoMoreSplits(subtaskIndex)
    else this.#context.assignSplit(split, subtaskIndex)
  }

  addSplitsBack(splits: readonly OrderingSplit[]): void {
    this.#waiting.unshift(...splits)
  }

  snapshotState(): JsonValue {
    return this.#waiting as unknown as JsonValue
  }

  close(): void {}
}

class Reader implements SourceReader<Ordered, OrderingSplit> {
  readonly #context: ReaderContext
  readonly #input: OrderingInput
  readonly #perMs: number
  /** The first is read next, then goes to the end of the line. */
  #open: OrderingSplit[] = []
  #noMoreSplits = false
  #allowance = 0
  #countedMs: number

  constructor(context: ReaderContext, { plan, rate }: OrderingOptions) {
    this.#context = context
    this.#input = new OrderingInput(plan)
    this.#perMs = rate / 1_000 / context.runtime.parallelism
    this.#countedMs = context.clock.monotonic()
  }

  start(): void {
    for (let i = 0; i < OPEN_SPLITS; i++) this.#context.requestSplit()
  }

  addSplits(splits: readonly OrderingSplit[]): void {
    this.#open.push(...splits)
  }

  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true
  }

  poll(output: SourceOutput<Ordered>): PollResult {
    const split = this.#open.shift()
    if (split === undefined) return this.#noMoreSplits ? 'end' : 'nothing'
    output.selectSplit(split.id)
    const limit = this.#allowed()
    const end = Math.min(this.#input.plan.records, split.next + limit)
    let next = split.next
    for (; next < end && !output.blocked; next++) {
      output.offset = next
      const one = this.#input.recordAt(split.split, next)
      output.collect(one, one.at)
    }
    this.#allowance -= next - split.next
    if (next < this.#input.plan.records) this.#open.push({ ...split, next })
    else {
      output.finishSplit(split.id)
      this.#context.requestSplit()
    }
    if (this.#open.length === 0 && this.#noMoreSplits) return 'end'
    return limit === 0 ? 'nothing' : 'more'
  }

  snapshotState(): readonly OrderingSplit[] {
    return [...this.#open]
  }

  close(): void {
    this.#open = []
  }

  /** How many records the rate allows now; if none, the task is woken when it allows one. */
  #allowed(): number {
    if (this.#perMs === 0) return TURN_RECORDS
    const { clock, wakeUp } = this.#context
    const nowMs = clock.monotonic()
    const earned = (nowMs - this.#countedMs) * this.#perMs
    this.#allowance = Math.min(this.#allowance + earned, CATCH_UP_MS * this.#perMs + 1)
    this.#countedMs = nowMs
    const allowed = Math.min(TURN_RECORDS, Math.floor(this.#allowance))
    if (allowed <= 0) {
      clock.schedule(Math.ceil((1 - this.#allowance) / this.#perMs), wakeUp)
      return 0
    }
    return allowed
  }
}
