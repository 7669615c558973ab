/**
 * `kubectl weir rollback`: an earlier revision of a job becomes its spec again, and the controller
 * rolls that out with the state that the job has now.
 */
import { defineErrors } from '../../common/errors.ts'
import { type CliIo, exitCodes } from '../cli-io.ts'
import { type ClusterJob, findJob, placeOf } from './cluster-job.ts'
import { type DryRun, patchJob } from './edit-job.ts'
import { Kubectl, type KubectlTarget } from './kubectl.ts'
import { isRedeployed, waitForJob } from './wait-for-job.ts'

export const rollbackErrors = defineErrors({
  WEIR_REVISION_UNKNOWN: {
    domain: 'user',
    retry: 'never',
    message: (e: { name: string; wanted: string; known: readonly string[] }) =>
      `job ${e.name} has no revision ${e.wanted}, but ${e.known.join(', ') || 'none'}`,
    next: 'name one of them by --to, by its name or its number',
  },
})

export interface RollbackOptions extends KubectlTarget {
  readonly name: string
  /** Name or number of a revision; absent: the stable one, or the one before. */
  readonly to?: string | undefined
  readonly dryRun: DryRun
  readonly wait: boolean
  readonly timeoutMs: number
}

interface Revision {
  readonly metadata: { readonly name: string }
  readonly revision: number
  readonly data?: { readonly manifest?: { readonly spec?: Readonly<Record<string, unknown>> } }
}

/**
 * They say what is to be done with the job, not what it is made of: revisions do not differ in
 * them. And nonces never go back.
 */
export const keptByRollback: readonly string[] = [
  'state',
  'stop',
  'upgrade',
  'rollback',
  'restore',
  'restoreNonce',
  'restartNonce',
  'savepointNonce',
  'savepoints',
  'autoscaler',
  'deletionPolicy',
  'priority',
  'preemptible',
]

export async function rollbackJob(options: RollbackOptions, io: CliIo): Promise<number> {
  const { name, to, dryRun, wait, timeoutMs } = options
  const kubectl = new Kubectl(options, io)
  const job = await findJob(kubectl, name)
  const selector = ['--selector', `weir.dev/job=${name}`, ...placeOf(job)]
  const list = ['get', 'controllerrevisions', ...selector]
  const { items } = await kubectl.json<{ readonly items: readonly Revision[] }>(list)
  const revision = chosen(job, items, to)
  const value = specOf(job, revision)
  await patchJob(kubectl, { job, path: '/spec', value, dryRun })
  const suffix = dryRun === 'none' ? '' : ` (${dryRun} dry run)`
  io.out.write(`streamjob.weir.dev/${name} rolled back to ${revision.metadata.name}${suffix}\n`)
  if (!wait || dryRun !== 'none') return exitCodes.ok
  const isThere = isRedeployed(job)
  await waitForJob(kubectl, { name, timeoutMs, isThere, isUpgrade: true }, io)
  return exitCodes.ok
}

function chosen(job: ClusterJob, all: readonly Revision[], to: string | undefined): Revision {
  const { current, stable } = job.status?.revision ?? {}
  const newestFirst = all.toSorted((a, b) => b.revision - a.revision)
  const others = newestFirst.filter(one => one.metadata.name !== current)
  const found =
    to === undefined
      ? (others.find(one => one.metadata.name === stable) ?? others[0])
      : all.find(one => one.metadata.name === to || String(one.revision) === to)
  if (found?.data?.manifest?.spec !== undefined) return found
  const known = newestFirst.map(one => `${one.revision} (${one.metadata.name})`)
  const wanted = to ?? 'to go back to'
  throw rollbackErrors.WEIR_REVISION_UNKNOWN({ name: job.metadata.name, wanted, known })
}

function specOf({ spec }: ClusterJob, { data }: Revision): Readonly<Record<string, unknown>> {
  const entries = Object.entries(data?.manifest?.spec ?? {})
  const past = entries.filter(([field]) => !keptByRollback.includes(field))
  const present = Object.entries(spec).filter(([field]) => keptByRollback.includes(field))
  return Object.fromEntries([...past, ...present])
}
