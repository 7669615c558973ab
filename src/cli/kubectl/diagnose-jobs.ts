/** `kubectl weir doctor`: what is wrong with jobs, and what to do. */
import { type CliIo, exitCodes } from '../cli-io.ts'
import { type ClusterJob, findJobs, type JobChoice, placeOf, podsOf } from './cluster-job.ts'
import { type ClusterEvent, type Verdict, verdictsOf } from './job-verdicts.ts'
import { Kubectl, type KubectlTarget } from './kubectl.ts'

export interface DiagnoseOptions extends KubectlTarget, JobChoice {
  readonly output?: string | undefined
}

interface Diagnosis {
  readonly namespace: string
  readonly name: string
  readonly phase: string
  readonly verdicts: readonly Verdict[]
}

/** Fails where something wants a person. */
export async function diagnoseJobs(options: DiagnoseOptions, io: CliIo): Promise<number> {
  const kubectl = new Kubectl(options, io)
  const found: Diagnosis[] = []
  for (const job of await findJobs(kubectl, options)) found.push(await diagnose(kubectl, job, io))
  if (options.output === 'json') io.out.write(`${JSON.stringify(found, undefined, 2)}\n`)
  else io.out.write(found.map(diagnosisText).join('\n'))
  if (found.length === 0) io.err.write('no StreamJobs found\n')
  return found.every(one => one.verdicts.length === 0) ? exitCodes.ok : exitCodes.failed
}

async function diagnose(kubectl: Kubectl, job: ClusterJob, io: CliIo): Promise<Diagnosis> {
  const pods = await podsOf(kubectl, job)
  const list = ['get', 'events.events.k8s.io', '--sort-by', '.metadata.creationTimestamp']
  const { items } = await kubectl.json<{ readonly items: readonly ClusterEvent[] }>([
    ...list,
    ...placeOf(job),
  ])
  const { namespace = '', name } = job.metadata
  const verdicts = verdictsOf({ job, pods, events: items, nowMs: io.clock.now() })
  return { namespace, name, phase: job.status?.phase ?? 'new', verdicts }
}

function diagnosisText({ namespace, name, phase, verdicts }: Diagnosis): string {
  const head = `${namespace}/${name}  ${phase}\n`
  if (verdicts.length === 0) return `${head}  nothing is wrong that the cluster knows of\n`
  const blocks = verdicts.map(({ cause, evidence, remedy }) => {
    return `  ${cause}\n    ${evidence.replaceAll('\n', '\n    ')}\n    remedy: ${remedy}\n`
  })
  return `${head}${blocks.join('')}`
}
