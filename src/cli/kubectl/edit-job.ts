/**
 * The verbs that change a field of a job and let the controller do the rest: suspend, resume,
 * restart. An edit is a patch that fails if somebody else was faster.
 */
import { type CliIo, exitCodes } from '../cli-io.ts'
import { describeError } from '../describe-error.ts'
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
  /** A job that has come to its end does not get there. */
  readonly isForAlive?: boolean
}

function editOf(verb: EditVerb, job: ClusterJob): Edit {
  const phaseIs = (phase: string) => (seen: ClusterJob) => seen.status?.phase === phase
  if (verb === 'suspend') {
    const isThere = phaseIs('Suspended')
    return { path: '/spec/state', value: 'suspended', done: 'suspended', isThere, isForAlive: true }
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

/** All are changed, then all are waited for: one that is refused keeps no other one from it. */
export async function editJobs(verb: EditVerb, options: EditOptions, io: CliIo): Promise<number> {
  const { dryRun, wait, timeoutMs } = options
  const kubectl = new Kubectl(options, io)
  const jobs = await findJobs(kubectl, options)
  if (jobs.length === 0) io.err.write('no StreamJobs found\n')
  const suffix = dryRun === 'none' ? '' : ` (${dryRun} dry run)`
  const edits = jobs.map(job => ({ job, ...editOf(verb, job) }))
  const edited = await eachOf(edits, io, async edit => {
    await patchJob(kubectl, { ...edit, dryRun })
    io.out.write(`streamjob.weir.dev/${edit.job.metadata.name} ${edit.done}${suffix}\n`)
  })
  const isDone = edited.length === edits.length
  if (!wait || dryRun !== 'none') return isDone ? exitCodes.ok : exitCodes.failed
  const arrived = await eachOf(edited, io, async edit => {
    const { name, namespace } = edit.job.metadata
    const there = new Kubectl({ ...options, namespace }, io)
    await waitForJob(there, { ...edit, name, timeoutMs }, io)
  })
  return isDone && arrived.length === edits.length ? exitCodes.ok : exitCodes.failed
}

/** Those with which it went well; of the others it is said why not. */
async function eachOf<T>(
  all: readonly T[],
  io: CliIo,
  work: (one: T) => Promise<void>,
): Promise<readonly T[]> {
  const done: T[] = []
  for (const one of all) {
    try {
      await work(one)
      done.push(one)
    } catch (error) {
      io.err.write(describeError(error))
    }
  }
  return done
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
