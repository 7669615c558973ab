/** What the decisions about a Savepoint look at: plain data, put together by a pass. */
import type { SavepointFacts } from '../../protocol/job-facts.ts'
import type { SavepointSpec } from '../../protocol/savepoint.ts'
import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import type { VerbPod } from '../streamjob/verb-pod.ts'
import type { SavepointObject, SavepointStatus } from './savepoint-object.ts'

export interface ObservedSavepoint {
  readonly object: SavepointObject
  readonly spec: SavepointSpec
  readonly status: SavepointStatus
  /** Of the job that it is to be taken of. */
  readonly job: {
    readonly isThere: boolean
    readonly isOver: boolean
    readonly runs: boolean
    /** What it goes on from. */
    readonly state?: StreamJobStatus['state']
    /** What it runs as, and whose it is. */
    readonly revision?: string
    readonly tenant?: string
  }
  /** The epoch that would be asked. */
  readonly epoch: number
  /** What the jobmanager says of the order; `undefined`: it was not asked, or did not answer. */
  readonly order: SavepointFacts | undefined
  /** Why it did not answer. */
  readonly silence: string | undefined
  /** It is recorded what could remove the files. */
  readonly isRecorded: boolean
  /** What a newer controller wrote that this one does not know; see `../newer-in.ts`. */
  readonly newer: string | undefined
  /** Pods that remove the files, the oldest first. */
  readonly disposals: readonly VerbPod[]
  /** Pods that read them. */
  readonly verifications: readonly VerbPod[]
  /** Who needs the files. */
  readonly pins: readonly string[]
  readonly nowMs: number
}
