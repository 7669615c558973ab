/**
 * `kubectl weir savepoint`: a Savepoint resource of a job, which goes on, and its path when the
 * controller has taken it.
 */
import type { z } from 'zod'
import { formatDuration } from '../../common/duration.ts'
import { defineErrors } from '../../common/errors.ts'
import { API_GROUP, API_VERSION } from '../../protocol/manifest-shape.ts'
import type { savepointStatusSchema } from '../../protocol/savepoint.ts'
import { type CliIo, exitCodes } from '../cli-io.ts'
import { findJob } from './cluster-job.ts'
import type { DryRun } from './edit-job.ts'
import { Kubectl, type KubectlTarget } from './kubectl.ts'

export const savepointErrors = defineErrors({
  WEIR_SAVEPOINT_NOT_TAKEN: {
    domain: 'external',
    retry: 'later',
    message: (e: { name: string; job: string; why: string }) =>
      `savepoint ${e.name} of job ${e.job} was not taken: ${e.why}`,
    next: 'kubectl describe savepoint shows each try; the job goes on',
  },
  WEIR_SAVEPOINT_NOT_THERE_YET: {
    domain: 'external',
    retry: 'later',
    message: (e: { name: string; phase: string; timeoutMs: number; why: string }) =>
      `savepoint ${e.name} is ${e.phase} after ${formatDuration(e.timeoutMs)}: ${e.why}`,
    next: 'it is taken all the same; kubectl get savepoints shows it, kubectl delete takes it back',
  },
})

export interface TakeSavepointOptions extends KubectlTarget {
  /** Of the job. */
  readonly name: string
  readonly output?: string | undefined
  readonly dryRun: DryRun
  readonly wait: boolean
  readonly timeoutMs: number
}

interface ClusterSavepoint {
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly status?: z.output<typeof savepointStatusSchema>
}

const LOOK_EVERY_MS = 1_000

export async function takeSavepoint(options: TakeSavepointOptions, io: CliIo): Promise<number> {
  const { name: job, output, dryRun, wait } = options
  const kubectl = new Kubectl(options, io)
  const { namespace } = (await findJob(kubectl, job)).metadata
  const resource = {
    apiVersion: `${API_GROUP}/${API_VERSION}`,
    kind: 'Savepoint',
    metadata: { generateName: `${job}-`, namespace },
    spec: { job },
  }
  const create = ['create', `--dry-run=${dryRun}`, '--output', 'json', '--filename', '-']
  const made = await kubectl.output(create, JSON.stringify(resource))
  const { metadata } = JSON.parse(made) as ClusterSavepoint
  const { name } = metadata
  io.err.write(`savepoint.${API_GROUP}/${name ?? job} asked for\n`)
  if (dryRun !== 'none') return exitCodes.ok
  const there = new Kubectl({ ...options, namespace }, io)
  const path = wait ? await pathOf(there, { ...options, savepoint: name }, io) : undefined
  if (output === 'json') io.out.write(`${JSON.stringify({ name, namespace, path })}\n`)
  else io.out.write(`${path ?? name}\n`)
  return exitCodes.ok
}

interface Awaited extends TakeSavepointOptions {
  readonly savepoint: string
}

/** Once it is taken. Throws when it was not, or not in time. */
async function pathOf(
  kubectl: Kubectl,
  { name: job, savepoint: name, timeoutMs }: Awaited,
  io: CliIo,
): Promise<string | undefined> {
  const startMs = io.clock.monotonic()
  let shown = ''
  for (;;) {
    const { status = {} } = await kubectl.json<ClusterSavepoint>(['get', 'savepoint', name])
    const { phase = 'Pending', path, error, conditions = [] } = status
    const ready = conditions.find(one => one.type === 'Ready')
    const why = ready?.message ?? 'the controller has not looked at it'
    if (phase === 'Completed') return path
    if (phase === 'Failed') {
      const said = error === undefined ? why : `${error.code}: ${error.message}`
      throw savepointErrors.WEIR_SAVEPOINT_NOT_TAKEN({ name, job, why: said })
    }
    if (ready !== undefined && why !== shown) io.err.write(`${name} is ${phase}: ${why}\n`)
    shown = why
    if (io.clock.monotonic() - startMs >= timeoutMs) {
      throw savepointErrors.WEIR_SAVEPOINT_NOT_THERE_YET({ name, phase, timeoutMs, why })
    }
    await new Promise<void>(resolve => void io.clock.schedule(LOOK_EVERY_MS, resolve))
  }
}
