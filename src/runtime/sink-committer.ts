/**
 * Commits what a sink's writer handed over, after the checkpoint that holds it completed.
 *
 * Owns        the committables that are not yet committed, by checkpoint.
 * Leaves out  when a checkpoint is complete: the sink operator is told.
 *
 * Invariants
 *  SC1  A committable is committed only after its checkpoint completed, and those of older
 *      checkpoints before it. A notification for n stands for all up to n: any may be lost.
 *  SC2  It stays in the state until its commit succeeded: a restart repeats it.
 *  SC3  One commit runs at a time.
 *  SC4  What is taken back is in no snapshot, completed or still to be.
 */
import type { CommitRequest, Committer } from '../api/sink.ts'
import type { JsonValue } from '../api/source.ts'
import { assert } from '../common/assert.ts'
import type { Clock, TimerHandle } from '../common/clock.ts'
import { isWeirError } from '../common/errors.ts'
import { reasonOf, runtimeErrors } from './runtime-errors.ts'
import type { CommitSettlement, StoredCommittable } from './task-contract.ts'

/** After the tenth failed try the job fails; a restart then tries anew. */
export const COMMIT_TRIES_MAX = 10
const RETRY_DELAY_MS = 100
const RETRY_DELAY_MAX_MS = 10_000
/** A cancelled job does not wait longer for whatever its sinks write to. */
const SETTLE_LIMIT_MS = 5_000

export interface SinkCommitterOptions {
  readonly sinkName: string
  readonly committer: Committer<JsonValue>
  readonly clock: Clock
}

/** One committable on its way. */
interface Attempt {
  readonly stored: StoredCommittable
  retries: number
  outcome: 'done' | 'retry' | 'failed'
  cause: unknown
}

export class SinkCommitter {
  readonly #options: SinkCommitterOptions
  /** By ascending checkpoint. */
  #pending: StoredCommittable[] = []
  #running: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: SinkCommitterOptions) {
    this.#options = options
  }

  /** What must go into the state (SC2). */
  get pending(): readonly StoredCommittable[] {
    return this.#pending
  }

  add(stored: readonly StoredCommittable[]): void {
    this.#pending.push(...stored)
    this.#pending.sort((a, b) => a.checkpointId - b.checkpointId)
  }

  /** Commits all of this and older checkpoints. Rejects when one cannot be committed. */
  commitUpTo(checkpointId: number): Promise<void> {
    const run = this.#running.then(() => this.#commit(checkpointId))
    // The next commit waits for this one; its failure is the caller's to report.
    this.#running = run.catch(() => {})
    return run
  }

  /**
   * Of a cancelled job, whose next start may be far away: commits what a completed checkpoint
   * holds, takes back what no snapshot does, and gives up after a while.
   */
  async settle(settlement: CommitSettlement): Promise<void> {
    let limit: TimerHandle | undefined
    const isOver = new Promise<void>(resolve => {
      limit = this.#options.clock.schedule(SETTLE_LIMIT_MS, resolve)
    })
    await Promise.race([this.#settleAll(settlement), isOver]).finally(() => limit?.cancel())
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#options.committer.close()
  }

  async #commit(checkpointId: number): Promise<void> {
    const due = this.#pending.filter(stored => stored.checkpointId <= checkpointId)
    let attempts = due.map<Attempt>(stored => ({
      stored,
      retries: 0,
      outcome: 'done',
      cause: undefined,
    }))
    while (attempts.length > 0 && !this.#closed) {
      await this.#options.committer.commit(attempts.map(makeRequest))
      attempts = this.#settle(attempts)
      const [first] = attempts
      if (first !== undefined) await this.#pause(first.retries)
    }
  }

  async #settleAll({ commitUpTo, abortBeyond }: CommitSettlement): Promise<void> {
    assert(commitUpTo <= abortBeyond, 'SC4: a checkpoint is a snapshot')
    try {
      await this.commitUpTo(commitUpTo)
    } finally {
      const left = this.#pending.filter(stored => stored.checkpointId > abortBeyond)
      if (left.length > 0) await this.#options.committer.abort?.(left.map(one => one.committable))
    }
  }

  /** Forgets what is committed; gives what must be tried again. */
  #settle(attempts: readonly Attempt[]): Attempt[] {
    for (const attempt of attempts) {
      const { outcome, retries, cause } = attempt
      // What can never be committed says itself why, and what to do.
      if (outcome === 'failed') throw isWeirError(cause) ? cause : this.#failure(attempt)
      if (outcome === 'retry' && retries >= COMMIT_TRIES_MAX) throw this.#failure(attempt)
    }
    const done = new Set(attempts.filter(a => a.outcome === 'done').map(a => a.stored))
    this.#pending = this.#pending.filter(stored => !done.has(stored))
    return attempts.filter(attempt => attempt.outcome === 'retry')
  }

  #failure(attempt: Attempt): Error {
    const details = {
      sink: this.#options.sinkName,
      checkpointId: attempt.stored.checkpointId,
      tries: attempt.retries + (attempt.outcome === 'failed' ? 1 : 0),
      reason: reasonOf(attempt.cause),
    }
    return runtimeErrors.WEIR_COMMIT_FAILED(details, attempt.cause)
  }

  #pause(retries: number): Promise<void> {
    assert(retries > 0, 'SC3: only a failed try is repeated')
    const delayMs = Math.min(RETRY_DELAY_MAX_MS, RETRY_DELAY_MS * 2 ** (retries - 1))
    return new Promise(resolve => this.#options.clock.schedule(delayMs, resolve))
  }
}

function makeRequest(attempt: Attempt): CommitRequest<JsonValue> {
  attempt.outcome = 'done'
  return {
    committable: attempt.stored.committable,
    checkpointId: attempt.stored.checkpointId,
    retries: attempt.retries,
    alreadyCommitted: () => {},
    retryLater: cause => {
      attempt.outcome = 'retry'
      attempt.retries++
      attempt.cause = cause
    },
    failed: cause => {
      attempt.outcome = 'failed'
      attempt.cause = cause
    },
  }
}
