/** A source and a sink that tests steer by hand. */
import type { CommitRequest, Committer, Sink, SinkContext, SinkWriter } from '../../src/api/sink.ts'
import type {
  EnumeratorContext,
  JsonValue,
  ReaderContext,
  Source,
  SourceReader,
  SourceSplit,
  SplitEnumerator,
} from '../../src/api/source.ts'
import { MIN_TIMESTAMP } from '../../src/common/timestamps.ts'
import { collectionSource } from '../../src/connectors/collection/collection-source.ts'

/** 0 to `count - 1`. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}

export function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b)
}

/** Numbers `from` to `to - 1`. */
export function numbers(to: number, from = 0): Source<number> {
  const items = Array.from({ length: to - from }, (_, i) => from + i)
  return collectionSource(items, { name: 'numbers' }) as unknown as Source<number>
}

/** What a sink's subtasks received and did, in order. */
export class SinkLog<T> {
  readonly values: T[] = []
  readonly timestamps: number[] = []
  readonly committed: T[] = []
  readonly events: string[] = []
  /** Ids of the transactions committed so far. */
  readonly transactions = new Set<string>()
  blocked = false
  wakeUps: (() => void)[] = []
  /** What the committer does with a request; default: commits. */
  onCommit: (request: CommitRequest<Transaction<T>>) => void = () => {}
}

interface Transaction<T> {
  /** Unique over all subtasks and attempts. */
  readonly id: string
  readonly values: readonly T[]
}

let transactionsMade = 0

/** Keeps what it gets. With `transactional`, the records of a checkpoint are one committable. */
export function logSink<T>(log: SinkLog<T>, transactional = false): Sink<T> {
  const sink: Sink<T> = {
    name: 'log',
    delivery: transactional ? 'exactly-once' : 'at-least-once',
    createWriter: context => makeWriter(log, context, transactional),
  }
  if (!transactional) return sink
  return { ...sink, createCommitter: () => makeCommitter(log) as unknown as Committer<JsonValue> }
}

function makeWriter<T>(
  log: SinkLog<T>,
  context: SinkContext,
  transactional: boolean,
): SinkWriter<T> {
  let open: T[] = []
  log.wakeUps.push(() => context.wakeUp())
  return {
    write(value, timestamp) {
      log.values.push(value)
      log.timestamps.push(timestamp)
      open.push(value)
    },
    get blocked() {
      return log.blocked
    },
    flush: end => void log.events.push(end ? 'flush at the end' : 'flush'),
    prepareCommit() {
      const closed = open
      open = []
      if (!transactional || closed.length === 0) return []
      const transaction: Transaction<T> = { id: `t${transactionsMade++}`, values: closed }
      return [transaction as unknown as JsonValue]
    },
    snapshotState: id => {
      log.events.push(`snapshot ${id}`)
      return []
    },
    close: () => void log.events.push('close'),
  }
}

/** Idempotent: a transaction that was committed before is only acknowledged. */
function makeCommitter<T>(log: SinkLog<T>): Committer<Transaction<T> & JsonValue> {
  return {
    commit(requests) {
      for (const request of requests) {
        let isCommitted = true
        log.onCommit({
          ...request,
          retryLater: cause => {
            isCommitted = false
            request.retryLater(cause)
          },
          failed: cause => {
            isCommitted = false
            request.failed(cause)
          },
        })
        if (!isCommitted) continue
        const { id, values } = request.committable
        log.events.push(`commit ${request.checkpointId}`)
        if (log.transactions.has(id)) {
          request.alreadyCommitted()
          continue
        }
        log.transactions.add(id)
        log.committed.push(...values)
      }
    },
    close: () => void log.events.push('close committer'),
  }
}

/** A source of one subtask whose records the test hands in. It never blocks nor ends by itself. */
export class HandSource<T> implements Source<T> {
  readonly name = 'hand'
  readonly boundedness = 'unbounded'
  readonly output = undefined
  readonly #waiting: T[] = []
  #wakeUp: () => void = () => {}
  #ended = false
  #emitted = 0

  emit(...values: readonly T[]): void {
    this.#waiting.push(...values)
    this.#wakeUp()
  }

  end(): void {
    this.#ended = true
    this.#wakeUp()
  }

  createEnumerator(context: EnumeratorContext<SourceSplit>): SplitEnumerator<SourceSplit> {
    return {
      start: () => {},
      addReader: subtask => context.assignSplit({ id: `hand-${subtask}` }, subtask),
      handleSplitRequest: () => {},
      addSplitsBack: () => {},
      snapshotState: () => null,
      close: () => {},
    }
  }

  createReader(context: ReaderContext): SourceReader<T, SourceSplit> {
    this.#wakeUp = () => context.wakeUp()
    let splits: readonly SourceSplit[] = []
    return {
      start: () => {},
      addSplits: added => {
        splits = added
      },
      notifyNoMoreSplits: () => {},
      poll: output => {
        if (splits.length === 0) return 'nothing'
        while (this.#waiting.length > 0 && !output.blocked) {
          output.offset = this.#emitted++
          output.collect(this.#waiting.shift() as T, MIN_TIMESTAMP)
        }
        if (this.#waiting.length > 0) return 'more'
        return this.#ended ? 'end' : 'nothing'
      },
      snapshotState: () => splits,
      close: () => {},
    }
  }
}
