/**
 * What the REST API orders: savepoints, stop, cancel. Requests are remembered, so that their
 * outcome can be asked for; the oldest that are done make room.
 */
import { isWeirError, messageOf } from '../../../common/errors.ts'
import type { JobResult } from '../../job-result.ts'
import type { StopRequest } from '../job-master-options.ts'
import type { ObservedJob } from './observed-job.ts'
import { restErrors } from './rest-errors.ts'

const SAVEPOINTS_KEPT = 50
const SAVEPOINTS_PENDING_MAX = 8

/** An error as people read it. */
export interface ErrorView {
  readonly code: string
  readonly message: string
  readonly next: string
}

export interface SavepointView {
  /** Of the request. */
  readonly id: string
  readonly status: 'pending' | 'completed' | 'failed'
  /** To be given to `--restore`. */
  readonly path: string | null
  readonly error: ErrorView | null
}

export interface EndView {
  /** `running`: the order failed, and the job goes on. */
  readonly outcome: JobResult['outcome'] | 'running'
  readonly lastCheckpointPath: string | null
  /** Only when one was asked for. */
  readonly savepointPath: string | null
  readonly error: ErrorView | null
}

export class JobSteering {
  readonly #observed: ObservedJob
  readonly #savepoints = new Map<string, SavepointView>()
  readonly #underWay = new Set<Promise<unknown>>()
  #requests = 0

  constructor(observed: ObservedJob) {
    this.#observed = observed
  }

  /** Begins a savepoint; `done` never rejects. Throws WEIR_REST_BUSY. */
  requestSavepoint(): { readonly id: string; readonly done: Promise<SavepointView> } {
    const pending = [...this.#savepoints.values()].filter(one => one.status === 'pending').length
    if (pending >= SAVEPOINTS_PENDING_MAX) throw restErrors.WEIR_REST_BUSY({ pending })
    return this.#request(this.#observed.job.savepoint())
  }

  savepoint(id: string): SavepointView {
    const found = this.#savepoints.get(id)
    if (found === undefined) throw restErrors.WEIR_REST_SAVEPOINT_UNKNOWN({ id })
    return found
  }

  /**
   * Stops after a last snapshot; with `savepoint` that is one, and a request like any other: `id`.
   * `done` resolves at the job's end, or when it is clear that the job goes on.
   */
  stop(request: StopRequest): { readonly id: string | null; readonly done: Promise<EndView> } {
    const ending = this.#observed.job.stop(request)
    const done = this.#track(this.#end(ending, request.savepoint === true))
    if (request.savepoint !== true) return { id: null, done }
    const taken = done.then(end => {
      if (end.savepointPath !== null) return end.savepointPath
      throw new Error(end.error?.message ?? `the job ${end.outcome} without one`)
    })
    return { id: this.#request(taken).id, done }
  }

  cancel(): Promise<EndView> {
    const { job } = this.#observed
    job.cancel()
    return this.#track(this.#end(job.done, false))
  }

  /** Resolves when nothing that was ordered is under way any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  #remember(view: SavepointView): SavepointView {
    this.#savepoints.set(view.id, view)
    const isFull = this.#savepoints.size > SAVEPOINTS_KEPT
    const oldest = isFull && [...this.#savepoints.values()].find(one => one.status !== 'pending')
    if (oldest) this.#savepoints.delete(oldest.id)
    return view
  }

  /** Remembers a savepoint that is being taken. */
  #request(taken: Promise<string>): { readonly id: string; readonly done: Promise<SavepointView> } {
    this.#requests++
    const id = String(this.#requests)
    this.#remember({ id, status: 'pending', path: null, error: null })
    const done = taken.then(
      path => this.#remember({ id, status: 'completed', path, error: null }),
      (cause: unknown) => {
        const failed = restErrors.WEIR_SAVEPOINT_FAILED({ reason: messageOf(cause) }, cause)
        return this.#remember({ id, status: 'failed', path: null, error: errorView(failed) })
      },
    )
    return { id, done }
  }

  async #end(ending: Promise<JobResult>, savepoint: boolean): Promise<EndView> {
    try {
      const { outcome, lastCheckpointPath, savepointPath, error } = await ending
      const missing =
        savepoint && outcome === 'stopped' && savepointPath === undefined
          ? restErrors.WEIR_SAVEPOINT_FAILED({ reason: 'all input had been read before' })
          : undefined
      const told = error ?? missing
      return {
        outcome,
        lastCheckpointPath: lastCheckpointPath ?? null,
        savepointPath: savepointPath ?? null,
        error: told === undefined ? null : errorView(told),
      }
    } catch (error) {
      const paths = { lastCheckpointPath: null, savepointPath: null }
      return { outcome: 'running', ...paths, error: errorView(error) }
    }
  }

  #track<T>(action: Promise<T>): Promise<T> {
    this.#underWay.add(action)
    return action
  }
}

export function errorView(error: unknown): ErrorView {
  if (isWeirError(error)) return { code: error.code, message: error.message, next: error.next }
  const message = messageOf(error)
  return { code: 'WEIR_INTERNAL', message, next: 'see weir exceptions, or the log of weir run' }
}
