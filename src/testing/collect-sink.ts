/**
 * A sink that keeps what it gets, with the two-phase commit of a real one: results become visible
 * when their checkpoint completed, and once only, also over failures and restores within a test.
 */
import type { Committer, Sink, SinkContext, SinkWriter } from '../api/sink.ts'
import type { JsonValue } from '../api/source.ts'

/** A sink whose contents a test can read. */
export interface CollectSink<T> extends Sink<T> {
  /** What was committed, each record once. */
  readonly results: readonly T[]
  /** Everything that was ever written: records again after a restart included. */
  readonly written: readonly T[]
  /** Forgets all, for the next test. */
  clear(): void
}

/** Collects results in memory. Use it in one job at a time. */
export function collectSink<T>(name = 'collect'): CollectSink<T> {
  const results: T[] = []
  const written: T[] = []
  const prepared = new Map<string, readonly T[]>()
  let batches = 0
  return {
    name,
    delivery: 'exactly-once',
    results,
    written,
    clear() {
      results.length = 0
      written.length = 0
      prepared.clear()
    },
    createWriter() {
      return new CollectWriter<T>(written, batch => {
        batches++
        const id = `batch-${batches}`
        prepared.set(id, batch)
        return id
      })
    },
    createCommitter(_context: SinkContext): Committer<JsonValue> {
      return {
        commit(requests) {
          for (const request of requests) {
            const id = request.committable as string
            const batch = prepared.get(id)
            if (batch === undefined) request.alreadyCommitted()
            else for (const result of batch) results.push(result)
            prepared.delete(id)
          }
        },
        close() {},
      }
    },
  }
}

class CollectWriter<T> implements SinkWriter<T, string> {
  readonly blocked = false
  readonly #written: T[]
  readonly #prepare: (batch: readonly T[]) => string
  #batch: T[] = []

  constructor(written: T[], prepare: (batch: readonly T[]) => string) {
    this.#written = written
    this.#prepare = prepare
  }

  write(value: T): void {
    this.#batch.push(value)
    this.#written.push(value)
  }

  flush(): void {}

  prepareCommit(): readonly string[] {
    if (this.#batch.length === 0) return []
    const batch = this.#batch
    this.#batch = []
    return [this.#prepare(batch)]
  }

  snapshotState(): readonly JsonValue[] {
    return []
  }

  close(): void {}
}
