/** Holds a job against the state that it would go on from, before anything is stopped for it. */
import { jobIdOf } from '../cluster/job-id.ts'
import type { RestoreRequest } from '../cluster/job-settings.ts'
import { findStateErrors } from '../cluster/jobmanager/check-declared-states.ts'
import { JobStore } from '../cluster/jobmanager/job-store.ts'
import { chooseRestore } from '../cluster/jobmanager/restore-choice.ts'
import { type LoadOptions, readChosen, restoreOf } from '../cluster/jobmanager/restored-job.ts'
import { isWeirError, type WeirError } from '../common/errors.ts'
import { SystemRandom } from '../common/random.ts'
import { DEFAULT_CHECKPOINT_FOLDER, openStore } from '../storage/open-store.ts'
import type { CliIo } from './cli-io.ts'
import type { PreparedJob } from './prepare-job.ts'
import { type RestoreFlags, restoreRequest } from './restore-request.ts'

export interface StateCheck {
  /** `undefined`: there is none, and the job would begin empty. */
  readonly path: string | undefined
  readonly errors: readonly WeirError[]
  /** What would be given up, as was asked for. */
  readonly notes: readonly string[]
}

/** Changes nothing. Throws where the store cannot be read: that is no verdict on the job. */
export async function checkState(
  { manifest, graph }: Pick<PreparedJob, 'manifest' | 'graph'>,
  flags: RestoreFlags,
  io: CliIo,
): Promise<StateCheck> {
  const { clock, cwd } = io
  const { metadata, spec } = manifest
  const random = new SystemRandom()
  const location = spec.checkpoint.storage ?? DEFAULT_CHECKPOINT_FOLDER
  const store = openStore({ location, folder: cwd, random, clock })
  const jobId = jobIdOf(metadata.name, metadata.namespace)
  const request = restoreRequest(flags, manifest, cwd)
  const lineage = await new JobStore({
    store,
    jobId,
    clock,
    claim: { run: '', lastTried: 0, isSettled: false },
  }).look()
  const isNew = request.kind === 'latest' && !lineage.started
  const choice = chooseRestore({
    request: isNew ? { kind: 'none' } : request,
    lineage,
    store,
    jobId,
  })
  const { place } = choice
  if (place === undefined) return { path: undefined, errors: [], notes: [] }
  const at =
    place.location === store.location ? store : openStore({ ...place, folder: cwd, random })
  const options = { graph, jobId, choice: { ...choice, place }, store: at, request }
  return verdictOn(options, choice.base.restoredFrom ?? undefined)
}

async function verdictOn(options: LoadOptions, path: string | undefined): Promise<StateCheck> {
  const metadata = await readChosen(options)
  const { graph, request } = options
  const { errors } = findStateErrors({ graph, metadata, dropState: droppedBy(request) })
  if (errors.length > 0) return { path, errors, notes: [] }
  try {
    return { path, errors, notes: restoreOf({ ...options, metadata }).notes }
  } catch (error) {
    if (!isWeirError(error)) throw error
    return { path, errors: [error], notes: [] }
  }
}

function droppedBy(request: RestoreRequest): readonly string[] {
  return request.kind === 'none' ? [] : (request.dropState ?? [])
}
