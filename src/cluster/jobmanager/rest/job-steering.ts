/**
 * What the REST API orders: savepoints, stop, cancel. Requests are remembered, so that their
 * outcome can be asked for; the oldest that are done make room.
 */
import { isWeirError, messageOf } from '../../../common/errors.ts'
import type { JobResult } from '../../job-result.ts'
import { copyToSavepoint } from '../copy-to-savepoint.ts'
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
  readonly outcome: JobResult['outcome']
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
  #copied: Promise<string> | undefined

  constructor(observed: ObservedJob) {
    this.#observed = observed
  }

  /** Begins a savepoint; `done` never rejects. Throws WEIR_REST_BUSY. */
  requestSavepoint(): { readonly id: string; readonly done: Promise<SavepointView> } {
    const pending = [...this.#savepoints.values()].filter(one => one.status === 'pending').length
    if (pending >= SAVEPOINTS_PENDING_MAX) throw restErrors.WEIR_REST_BUSY({ pending })
    this.#requests++
    const id = String(this.#requests)
    this.#remember({ id, status: 'pending', path: null, error: null })
    const done = this.#observed.job.savepoint().then(
      path => this.#remember({ id, status: 'completed', path, error: null }),
      (error: unknown) => {
        const failed = restErrors.WEIR_SAVEPOINT_FAILED({ reason: messageOf(error) }, error)
        return this.#remember({ id, status: 'failed', path: null, error: errorView(failed) })
      },
    )
    return { id, done }
  }

  savepoint(id: string): SavepointView {
    const found = this.#savepoints.get(id)
    if (found === undefined) throw restErrors.WEIR_REST_SAVEPOINT_UNKNOWN({ id })
    return found
  }

  /**
   * Stops after a final checkpoint; with `savepoint` that one is kept as a savepoint: nothing after
   * it has reached a sink. Resolves at the job's end.
   */
  stop(savepoint: boolean): Promise<EndView> {
    this.#observed.job.stop()
    return this.#track(this.#end(savepoint))
  }

  cancel(): Promise<EndView> {
    this.#observed.job.cancel()
    return this.#track(this.#end(false))
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

  async #end(savepoint: boolean): Promise<EndView> {
    const { outcome, lastCheckpointPath, error } = await this.#observed.job.done
    const end = {
      outcome,
      lastCheckpointPath: lastCheckpointPath ?? null,
      savepointPath: null,
      error: error === undefined ? null : errorView(error),
    }
    if (!savepoint || outcome !== 'stopped') return end
    try {
      return { ...end, savepointPath: await this.#copy(lastCheckpointPath) }
    } catch (cause) {
      const failed = restErrors.WEIR_SAVEPOINT_FAILED({ reason: messageOf(cause) }, cause)
      return { ...end, error: errorView(failed) }
    }
  }

  /** Once, however many have asked for it. */
  #copy(path: string | undefined): Promise<string> {
    const { store, jobId } = this.#observed
    if (path === undefined) return Promise.reject(new Error('no checkpoint had completed'))
    this.#copied ??= copyToSavepoint({ store, jobId, path })
    return this.#copied
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
