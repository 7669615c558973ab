/**
 * What the REST API orders: savepoints, stop, cancel. Requests are remembered, so that their
 * outcome can be asked for; the oldest that are done make room. One that comes with a name of its
 * own may come again, after an answer that was lost: it is carried out once.
 */
import { isWeirError, messageOf } from '../../../common/errors.ts'
import type { SavepointFacts, StopFacts } from '../../../protocol/job-facts.ts'
import type { clusterErrors } from '../../cluster-errors.ts'
import type { JobResult } from '../../job-result.ts'
import { type CompletedSnapshot, completedSnapshot } from '../job-history.ts'
import type { StopRequest } from '../job-master-options.ts'
import type { ObservedJob } from './observed-job.ts'
import { restErrors } from './rest-errors.ts'

const SAVEPOINTS_KEPT = 50
const SAVEPOINTS_PENDING_MAX = 8
const STOPS_KEPT = 8

/** An error as people read it. */
export interface ErrorView {
  readonly code: string
  readonly message: string
  readonly next: string
}

export interface SavepointView extends SavepointFacts {
  /** To be given to `--restore`. */
  readonly path: string | null
}

export interface EndView {
  /** `running`: the order failed, and the job goes on. */
  readonly outcome: JobResult['outcome'] | 'running'
  readonly lastCheckpointPath: string | null
  /** Only when one was asked for; also when it completed and the job goes on all the same. */
  readonly savepointPath: string | null
  readonly error: ErrorView | null
}

export interface SavepointRequest {
  readonly id: string
  /** Never rejects. */
  readonly done: Promise<SavepointView>
}

export interface StopOrder {
  /** Of the savepoint, which is a request like any other; `null`: none was asked for. */
  readonly id: string | null
  /** Resolves at the job's end, or when it is clear that the job goes on. */
  readonly done: Promise<EndView>
}

interface NamedStop {
  readonly order: StopOrder
  facts: StopFacts
}

export class JobSteering {
  readonly #observed: ObservedJob
  readonly #savepoints = new Map<string, SavepointView>()
  readonly #requests = new Map<string, SavepointRequest>()
  readonly #stops = new Map<string, NamedStop>()
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #told = Promise.withResolvers<void>()
  #unnamed = 0

  constructor(observed: ObservedJob) {
    this.#observed = observed
  }

  /** Begins a savepoint, or finds the one of that name. Throws WEIR_REST_BUSY. */
  requestSavepoint(name?: string): SavepointRequest {
    const known = name === undefined ? undefined : this.#requests.get(name)
    if (known !== undefined) return known
    const pending = [...this.#savepoints.values()].filter(one => one.status === 'pending').length
    if (pending >= SAVEPOINTS_PENDING_MAX) throw restErrors.WEIR_REST_BUSY({ pending })
    return this.#request(this.#observed.job.savepoint(), name)
  }

  savepoint(id: string): SavepointView {
    const found = this.#savepoints.get(id)
    if (found === undefined) throw restErrors.WEIR_REST_SAVEPOINT_UNKNOWN({ id })
    return found
  }

  /** Stops after a last snapshot: a savepoint, or a checkpoint. Of a known name: once. */
  stop(request: StopRequest, name?: string): StopOrder {
    const known = name === undefined ? undefined : this.#stops.get(name)
    if (known !== undefined) return known.order
    const ending = this.#observed.job.stop(request)
    const done = this.#track(this.#end(ending, request.savepoint === true))
    const order = { id: this.#savepointOf(request, done, name), done }
    if (name !== undefined) this.#rememberStop(name, order)
    return order
  }

  stopOf(id: string): StopFacts {
    const found = this.#stops.get(id)
    if (found === undefined) throw restErrors.WEIR_REST_STOP_UNKNOWN({ id })
    return found.facts
  }

  /** What became of the newest that had a name, for whoever gave it. */
  tellStop(): StopFacts | undefined {
    const facts = [...this.#stops.values()].at(-1)?.facts
    if (facts?.status === 'completed') this.#told.resolve()
    return facts
  }

  /** Somebody has given it an order by a name, and may ask what became of it. */
  get isAsked(): boolean {
    return this.#stops.size > 0
  }

  /** Resolves when somebody has heard what became of such an order. */
  get told(): Promise<void> {
    return this.#told.promise
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

  #savepointOf(request: StopRequest, done: Promise<EndView>, name?: string): string | null {
    if (request.savepoint !== true) return null
    const taken = done.then(end => {
      if (end.savepointPath !== null) return end.savepointPath
      throw new Error(end.error?.message ?? `the job ${end.outcome} without one`)
    })
    return this.#request(taken, name).id
  }

  #rememberStop(id: string, order: StopOrder): void {
    const stop: NamedStop = { order, facts: { id, status: 'pending', snapshot: null, error: null } }
    this.#stops.set(id, stop)
    const [oldest] = this.#stops.keys()
    if (this.#stops.size > STOPS_KEPT && oldest !== undefined) this.#stops.delete(oldest)
    void this.#track(
      order.done.then(({ outcome, savepointPath, lastCheckpointPath, error }) => {
        const isRunning = outcome === 'running'
        const path = savepointPath ?? (isRunning ? null : lastCheckpointPath)
        const status = isRunning ? 'failed' : 'completed'
        stop.facts = { id, status, snapshot: this.#snapshotAt(path), error }
      }),
    )
  }

  #remember(view: SavepointView): SavepointView {
    this.#savepoints.set(view.id, view)
    const isFull = this.#savepoints.size > SAVEPOINTS_KEPT
    const oldest = isFull && [...this.#savepoints.values()].find(one => one.status !== 'pending')
    if (oldest) {
      this.#savepoints.delete(oldest.id)
      this.#requests.delete(oldest.id)
    }
    return view
  }

  /** Remembers a savepoint that is being taken. */
  #request(taken: Promise<string>, name: string | undefined): SavepointRequest {
    this.#unnamed++
    const id = name ?? String(this.#unnamed)
    const pending = { id, status: 'pending', snapshot: null, path: null, error: null } as const
    this.#remember(pending)
    const done = taken.then(
      path => {
        const snapshot = this.#snapshotAt(path)
        return this.#remember({ ...pending, status: 'completed', snapshot, path })
      },
      (cause: unknown) => {
        const failed = restErrors.WEIR_SAVEPOINT_FAILED({ reason: messageOf(cause) }, cause)
        return this.#remember({ ...pending, status: 'failed', error: errorView(failed) })
      },
    )
    const request = { id, done }
    this.#requests.set(id, request)
    return request
  }

  #snapshotAt(path: string | null): CompletedSnapshot | null {
    if (path === null) return null
    const { history } = this.#observed.job
    const found = completedSnapshot(history.snapshots.find(entry => entry.path === path))
    const { latest } = history
    // What a stop ended with may be what the job was restored from.
    return found ?? (latest?.path === path ? latest : null)
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
      const savepointPath = unfinishedPath(error)
      const paths = { lastCheckpointPath: null, savepointPath }
      return { outcome: 'running', ...paths, error: errorView(error) }
    }
  }

  #track<T>(action: Promise<T>): Promise<T> {
    this.#underWay.add(action)
    return action
  }
}

/** The savepoint completed, though the stop did not: it counts. */
function unfinishedPath(error: unknown): string | null {
  if (!isWeirError(error)) return null
  const { code, details } = error
  const isUnfinished = code === ('WEIR_STOP_UNFINISHED' satisfies keyof typeof clusterErrors)
  return isUnfinished ? (details as { readonly path: string }).path : null
}

export function errorView(error: unknown): ErrorView {
  if (isWeirError(error)) return { code: error.code, message: error.message, next: error.next }
  const message = messageOf(error)
  return { code: 'WEIR_INTERNAL', message, next: 'see weir exceptions, or the log of weir run' }
}
