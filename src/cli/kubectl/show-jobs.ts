/** `kubectl weir status`: all jobs as a table, or one with what its jobmanager says. */
import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import { type CliIo, exitCodes } from '../cli-io.ts'
import { textTable } from '../text-table.ts'
import {
  type ClusterJob,
  findJobs,
  inJobManager,
  type JobChoice,
  jobManagerOf,
  podsOf,
} from './cluster-job.ts'
import { Kubectl, type KubectlTarget } from './kubectl.ts'

export interface ShowOptions extends KubectlTarget, JobChoice {
  /** As kubectl's own: json, yaml, wide, name, jsonpath=… */
  readonly output?: string | undefined
}

export async function showJobs(options: ShowOptions, io: CliIo): Promise<number> {
  const kubectl = new Kubectl(options, io)
  const { name, selector, allNamespaces = false, output } = options
  if (output !== undefined) {
    const chosen = name === undefined ? [] : [name]
    const by = selector === undefined ? [] : ['--selector', selector]
    const all = allNamespaces ? ['--all-namespaces'] : []
    return kubectl.show(['get', 'streamjobs', ...chosen, ...by, ...all, '--output', output])
  }
  const jobs = await findJobs(kubectl, options)
  if (jobs.length === 0) io.err.write('no StreamJobs found\n')
  else if (name === undefined) io.out.write(jobTable(jobs, allNamespaces))
  for (const job of name === undefined ? [] : jobs) await showOne(kubectl, job, io)
  return exitCodes.ok
}

function jobTable(jobs: readonly ClusterJob[], withNamespace: boolean): string {
  const rows = jobs.map(job => {
    const { metadata, status = {} } = job
    const { slots = { ready: 0, desired: 0 }, phase = 'new', epoch = 0 } = status
    const cells = [metadata.name, phase, `${slots.ready}/${slots.desired}`, `${epoch}`]
    const why = reasonOf(status)
    return [...(withNamespace ? [metadata.namespace ?? ''] : []), ...cells, why]
  })
  const heads = [...(withNamespace ? ['NAMESPACE'] : []), 'NAME', 'PHASE', 'SLOTS', 'EPOCH', 'WHY']
  return textTable([heads, ...rows])
}

/** Of what is not as it should be. */
function reasonOf({ conditions = [] }: StreamJobStatus): string {
  const stalled = conditions.find(one => one.type === 'Stalled' && one.status === 'True')
  const unready = conditions.find(one => one.type === 'Ready' && one.status === 'False')
  return (stalled ?? unready)?.reason ?? ''
}

async function showOne(kubectl: Kubectl, job: ClusterJob, io: CliIo): Promise<void> {
  io.out.write(jobText(job))
  const pod = jobManagerOf(await podsOf(kubectl, job))
  if (pod === undefined) return
  const { code, out, err } = await kubectl.ask(inJobManager(job, pod, ['status']))
  if (code === 0) io.out.write(`\n${out}`)
  else io.err.write(`the jobmanager says nothing yet: ${err.trim()}\n`)
}

function jobText({ metadata, status = {} }: ClusterJob): string {
  const { phase = 'new', epoch = 0, slots, state, conditions = [] } = status
  const lines = [
    `${metadata.namespace}/${metadata.name}  ${phase}  epoch ${epoch}`,
    `slots ${slots?.ready ?? 0} of ${slots?.desired ?? 0} ready`,
  ]
  if (state !== undefined) {
    lines.push(`state ${state.kind} ${state.checkpointId} of ${state.completedAt}, ${state.path}`)
  }
  const rows = conditions.map(({ type, status: value, reason, message }) => {
    return [type, value, reason, message]
  })
  const table =
    rows.length === 0 ? '' : textTable([['CONDITION', 'IS', 'REASON', 'WORDS'], ...rows])
  return `${lines.join('\n')}\n\n${table}`
}
