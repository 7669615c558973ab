/** The errors of the checkpoint room. */
import { defineErrors } from '../common/errors.ts'

const offer = (e: { readonly previous: string | undefined }): string =>
  e.previous === undefined
    ? 'no older checkpoint of this job is left; restore a savepoint, or start without --restore'
    : `go back to the one before it: --restore ${e.previous}`

export const checkpointErrors = defineErrors({
  WEIR_CHECKPOINT_CORRUPT: {
    domain: 'external',
    retry: 'never',
    message: (e: { file: string; reason: string; previous: string | undefined }) =>
      `the checkpoint cannot be restored: ${e.file} ${e.reason}`,
    next: offer,
  },
  WEIR_CHECKPOINT_FORMAT: {
    domain: 'user',
    retry: 'never',
    message: (e: { file: string; found: string; known: number }) =>
      `${e.file} has format version ${e.found}; this Weir reads up to ${e.known}`,
    next: 'run the version of Weir that wrote it, or a newer one',
  },
  WEIR_RESTORE_NOT_FOUND: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string }) => `there is no completed checkpoint or savepoint at ${e.path}`,
    next: 'give the folder that holds its _metadata, or `latest` to go on from the last one',
  },
  WEIR_RESTORE_NOTHING: {
    domain: 'user',
    retry: 'never',
    message: (e: { jobId: string; location: string }) =>
      `nothing to restore: job ${e.jobId} has never run with its checkpoints in ${e.location}`,
    next: 'check the job name and the checkpoint storage, or start without --restore',
  },
  WEIR_RESTORE_STATE_LEFT: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string; operators: readonly string[] }) =>
      `${e.path} holds state of operators that the job does not have: ${e.operators.join(', ')}`,
    next: 'give the operators their old uid, or name it in --drop-state or spec.upgrade.dropState',
  },
  WEIR_RESTORE_OTHER_JOB: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string; found: string; jobId: string }) =>
      `${e.path} belongs to job ${e.found}, not to ${e.jobId}`,
    next: (e: { found: string }) =>
      `if that is meant: --from-job ${e.found}, or spec.restore.fromJob; see docs/savepoints.md`,
  },
  WEIR_RESTORE_MAX_PARALLELISM: {
    domain: 'user',
    retry: 'never',
    message: (e: { operator: string; stored: number; wanted: number }) =>
      `the state of ${e.operator} was written with maxParallelism ${e.stored}, ` +
      `the job has ${e.wanted}`,
    next: 'set spec.maxParallelism back: the division of keys depends on it and cannot change',
  },
  WEIR_RESTORE_IN_FLIGHT: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string; from: string; to: string; change: string }) =>
      `${e.path} holds data in flight from ${e.from} to ${e.to}, ${e.change}`,
    next:
      'go back to the job that wrote it and take a savepoint, which holds nothing in flight; ' +
      'or lose that data: --drop-state in-flight',
  },
})
