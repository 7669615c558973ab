/**
 * What one attempt goes on from, and what its failover regions start again from.
 *
 * Owns        what was restored, and the newest checkpoint that completed since.
 * Leaves out  when (`job-attempt.ts`), and the choice itself (`restore-choice.ts`).
 */
import { snapshotFolder } from '../../checkpoint/checkpoint-layout.ts'
import type { SnapshotKind } from '../../checkpoint/coordinator-state.ts'
import type { Lineage } from '../../checkpoint/generation.ts'
import { clusterErrors } from '../cluster-errors.ts'
import type { JobMasterOptions } from './job-master-options.ts'
import type { GenerationClaim, JobStore } from './job-store.ts'
import { chooseRestore, type RestoreChoice, type SnapshotPlace } from './restore-choice.ts'
import { loadRestoredJob, type RestoredJob } from './restored-job.ts'

export interface StartingPointOptions
  extends Pick<
    JobMasterOptions,
    'graph' | 'jobId' | 'restore' | 'store' | 'storeAt' | 'rescaling'
  > {
  /** Of the attempt; 0 for the first of the jobmanager. */
  readonly number: number
  readonly claim: GenerationClaim
}

export class StartingPoint {
  readonly #options: StartingPointOptions
  readonly #store: JobStore
  #restored: RestoredJob | undefined
  #latest: { readonly place: SnapshotPlace; readonly previous: string | undefined } | undefined

  constructor(options: StartingPointOptions, store: JobStore) {
    this.#options = options
    this.#store = store
  }

  /** `undefined`: the job started empty. */
  get restored(): RestoredJob | undefined {
    return this.#restored
  }

  /** Throws what a restore that cannot be deserves: taking the generation would end a job. */
  async refuseEarly(): Promise<void> {
    const { number, restore } = this.#options
    if (number > 0 || restore.kind === 'none') return
    const lineage = await this.#store.look()
    if (this.orderedOther(lineage) === undefined) await this.load(this.choose(lineage))
  }

  /**
   * The parallelism to which the jobmanager before this one may have been told to rescale. An
   * attempt that failed before it knew leaves the question to the next.
   */
  orderedOther({ parallelism }: Lineage): number | undefined {
    const { claim, graph, rescaling } = this.#options
    if (claim.isSettled || rescaling === undefined) return undefined
    return parallelism === graph.parallelism ? undefined : parallelism
  }

  choose(lineage: Lineage): RestoreChoice {
    const { jobId, restore, store } = this.#options
    return chooseRestore({ request: restore, lineage, store, jobId })
  }

  async load({ place, previous }: RestoreChoice): Promise<RestoredJob | undefined> {
    if (place === undefined) return undefined
    const { graph, jobId, restore: request, storeAt } = this.#options
    const store = storeAt(place.location)
    const choice = { place, previous }
    this.#restored = await loadRestoredJob({ graph, jobId, choice, store, request })
    return this.#restored
  }

  completed(kind: SnapshotKind, id: number): void {
    const { jobId, store } = this.#options
    const before = this.#latest?.place ?? this.#restored?.place
    const previous = before && `${before.location}/${before.folder}`
    const folder = snapshotFolder(jobId, kind, id)
    this.#latest = { place: { location: store.location, folder }, previous }
  }

  /**
   * What a region starts again from. Throws WEIR_JOB_FENCED: what a newer generation goes on from
   * must not be undone.
   */
  async latest(): Promise<RestoredJob | undefined> {
    const { graph, jobId, store } = this.#options
    const newer = await this.#store.newerGeneration()
    if (newer !== undefined) {
      throw clusterErrors.WEIR_JOB_FENCED({ jobId, own: this.#store.generation, newer })
    }
    const choice = this.#latest
    if (choice === undefined) return this.#restored
    return loadRestoredJob({ graph, jobId, choice, store, request: { kind: 'none' } })
  }
}
