/** The job of a taskmanager: loaded once for each code, built anew for each jobmanager. */
import type { Job } from '../../api/job.ts'
import { planJob } from '../../graph/build-job-graph.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import type { JobOrder } from '../../protocol/control-messages.ts'
import { clusterErrors } from '../cluster-errors.ts'
import { importBundle } from '../job-bundle.ts'
import type { JobSettings } from '../job-settings.ts'

export class JobLoader {
  readonly #folder: string
  #loaded: { readonly digest: string; readonly job: Job } | undefined

  /** `folder`: where code is kept. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Of the code that need not be sent again. */
  get digest(): string | null {
    return this.#loaded?.digest ?? null
  }

  /** Throws WEIR_JOB_BUNDLE_BROKEN, or what the job's builder function throws. */
  async load(order: JobOrder): Promise<JobGraph> {
    const job = await this.#import(order)
    const { name, args, parallelism, maxParallelism } = order
    const { checkpoint } = order.settings as unknown as JobSettings
    return planJob(job, { name, args, parallelism, maxParallelism, checkpointing: checkpoint.mode })
  }

  async #import({ digest, code, sourceMap }: JobOrder): Promise<Job> {
    if (this.#loaded?.digest === digest) return this.#loaded.job
    if (code === null) {
      throw clusterErrors.WEIR_JOB_BUNDLE_BROKEN({ reason: 'it was not sent' })
    }
    const job = await importBundle({ code, sourceMap: sourceMap ?? '', digest }, this.#folder)
    this.#loaded = { digest, job }
    return job
  }
}
