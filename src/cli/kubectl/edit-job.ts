/**
 * The verbs that change a field of a job and let the controller do the rest: suspend, resume,
 * restart. An edit is a patch that fails if somebody else was faster.
 */
import { type CliIo, exitCodes } from '../cli-io.ts'
import { type ClusterJob, findJobs, type JobChoice, placeOf } from './cluster-job.ts'
import { Kubectl, type KubectlTarget } from './kubectl.ts'
import { isRedeployed, waitForJob } from './wait-for-job.ts'

export type DryRun = 'none' | 'client' | 'server'

export interface EditOptions extends KubectlTarget, JobChoice {
  readonly dryRun: DryRun
  readonly wait: boolean
  readonly timeoutMs: number
}

export type EditVerb = 'suspend' | 'resume' | 'restart'

interface Edit {
  readonly path: string
  readonly value: string | number
  /** What is said when it is done. */
  readonly done: string
  readonly isThere: (job: ClusterJob) => boolean
  readonly isUpgrade?: boolean
}

function editOf(verb: EditVerb, job: ClusterJob): Edit {
  const phaseIs = (phase: string) => (seen: ClusterJob) => seen.status?.phase === phase
  if (verb === 'suspend') {
    const isThere = phaseIs('Suspended')
    return { path: '/spec/state', value: 'suspended', done: 'suspended', isThere }
  }
  if (verb === 'resume') {
    const isThere = phaseIs('Running')
    return { path: '/spec/state', value: 'running', done: 'resumed', isThere }
  }
  const { restartNonce = 0 } = job.spec as { readonly restartNonce?: number }
  return {
    path: '/spec/restartNonce',
    value: restartNonce + 1,
    done: 'restarted',
    isThere: isRedeployed(job),
    isUpgrade: true,
  }
}

/** Gives the exit code. */
export async function editJobs(verb: EditVerb, options: EditOptions, io: CliIo): Promise<number> {
  const kubectl = new Kubectl(options, io)
  for (const job of await findJobs(kubectl, options)) {
    const edit = editOf(verb, job)
    await patchJob(kubectl, { job, ...edit, dryRun: options.dryRun })
    const suffix = options.dryRun === 'none' ? '' : ` (${options.dryRun} dry run)`
    io.out.write(`streamjob.weir.dev/${job.metadata.name} ${edit.done}${suffix}\n`)
    if (!options.wait || options.dryRun !== 'none') continue
    const { name, namespace } = job.metadata
    const there = new Kubectl({ ...options, namespace }, io)
    await waitForJob(there, { ...edit, name, timeoutMs: options.timeoutMs }, io)
  }
  return exitCodes.ok
}

export interface JobPatch {
  readonly job: ClusterJob
  readonly path: string
  readonly value: unknown
  readonly dryRun: DryRun
}

/** Fails when somebody else has changed the spec since it was looked at; the status moves often. */
export async function patchJob(kubectl: Kubectl, patch: JobPatch): Promise<void> {
  const { job, path, value, dryRun } = patch
  if (dryRun === 'client') return
  const { name, generation } = job.metadata
  const steps = [
    { op: 'test', path: '/metadata/generation', value: generation },
    { op: 'add', path, value },
  ]
  const what = ['patch', 'streamjob', name, ...placeOf(job)]
  const how = ['--type', 'json', '--patch', JSON.stringify(steps)]
  await kubectl.output([...what, ...how, `--dry-run=${dryRun}`])
}
