/**
 * Ends the transactions that nobody will commit: readers of committed records see nothing beyond an
 * open one. One sweep comes before a writer begins; others follow now and then, for a process that
 * was given up may still begin a transaction before it notices.
 *
 * Owns        that an attempt with a successor ends nothing any more: it would take what the
 *             successor has open, or has prepared, for left over.
 * Leaves out  which transactions are whose (`transaction-names.ts`).
 */
import type { SinkContext } from '../../api/sink.ts'
import type { TimerHandle } from '../../common/clock.ts'
import { isWeirError } from '../../common/errors.ts'
import { kafkaErrors } from './kafka-errors.ts'
import type { TransactionClient } from './transaction-client.ts'
import { isLingering, readName, type WriterState } from './transaction-names.ts'

const PERIOD_MS = 60_000

export interface SweeperOptions {
  readonly transactions: TransactionClient
  readonly context: SinkContext
  readonly prefix: string
  /** Of this writer's own transactions. */
  readonly run: string
  /** The checkpoint that was restored; 0 for none. */
  readonly base: number
  readonly restored: readonly WriterState[]
  /** Throws where another process became this writer since. */
  readonly requireNewest: () => Promise<void>
}

export class TransactionSweeper {
  readonly #options: SweeperOptions
  readonly #prefixes: ReadonlySet<string>
  #timer: TimerHandle | undefined
  #closed = false

  constructor(options: SweeperOptions) {
    const { prefix, restored, context } = options
    this.#options = options
    this.#prefixes = new Set([prefix, ...formerPrefixes(restored, context.jobId)])
  }

  /** Rejects with WEIR_KAFKA_WRITER_SUCCEEDED. */
  async sweep(): Promise<void> {
    const { transactions, prefix, context } = this.#options
    const open = await transactions.open()
    const lingering = open.filter(id => this.#isLingering(id))
    if (lingering.length === 0 || this.#closed) return
    // After the list, not before: what nobody has succeeded by now has none of a successor's in it.
    if ((await context.isSuperseded?.()) === true) {
      const writer = context.runtime.subtaskIndex
      throw kafkaErrors.WEIR_KAFKA_WRITER_SUCCEEDED({ prefix, writer })
    }
    // The brokers may have let an older attempt take the name last; but where a job keeps nothing
    // they are all there is to ask.
    await this.#options.requireNewest()
    for (const id of lingering) {
      const found = await transactions.describe(id)
      if (found?.state === 'Ongoing') await transactions.end(found, 'abort')
    }
  }

  /** Sweeps again and again until `close`; `fail` is told of a successor. */
  watch(fail: (error: unknown) => void): void {
    this.#timer = this.#options.context.clock.schedule(PERIOD_MS, () => {
      this.sweep()
        .catch((error: unknown) => {
          // What a broker could not answer now the next sweep asks again.
          if (isWeirError(error) && error.code === 'WEIR_KAFKA_WRITER_SUCCEEDED') fail(error)
        })
        .finally(() => {
          if (!this.#closed) this.watch(fail)
        })
    })
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  #isLingering(id: string): boolean {
    const { base, run, restored, context } = this.#options
    const names = [...this.#prefixes].map(prefix => readName(prefix, id))
    const name = names.find(found => found !== undefined)
    if (name === undefined || name.run === run) return false
    const { subtaskIndex, parallelism } = context.runtime
    const isRestored = context.restoredCheckpointId !== undefined
    return isLingering(name, id, { base, subtaskIndex, parallelism, restored, isRestored })
  }
}

/**
 * The sink was told another prefix since. Not those of another job, whose state this one took over:
 * that job may run.
 */
function formerPrefixes(states: readonly WriterState[], jobId: string): readonly string[] {
  return states.filter(state => state.jobId === jobId).map(({ prefix }) => prefix)
}
