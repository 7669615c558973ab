/** The pod that looks at a revision before anything is stopped for it; pure. */
import type { PlannedState, PlanOrder } from './job-decision.ts'
import { labels } from './job-names.ts'
import { metadataOf } from './job-objects.ts'
import type { PodObject } from './pod-facts.ts'
import type { StreamJobObject } from './stream-job-object.ts'
import { verbPod } from './verb-pod.ts'

/** What stands in it is the termination message. */
const VERDICT_FILE = '/dev/termination-log'

export function planPodOf(job: StreamJobObject, order: PlanOrder): PodObject {
  const { revision, attempt, state } = order
  const { name, namespace = '' } = job.metadata
  const { ownerReferences } = metadataOf(job, name)
  const [owner] = ownerReferences
  const pod = verbPod({
    name: planPodName(name, revision.name, attempt),
    namespace,
    owner,
    job: name,
    deployed: revision.deployed,
    configMap: revision.name,
    args: ['plan', '/var/run/weir/deployment/job.yaml', ...planArguments(state)],
    readsCode: true,
    number: attempt,
  })
  const own = { [labels.role]: 'plan', [labels.revision]: revision.name }
  return { ...pod, metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, ...own } } }
}

function planArguments(state: PlannedState | undefined): readonly string[] {
  const { from, fromJob } = state ?? {}
  const other = fromJob === undefined ? [] : ['--from-job', fromJob]
  const compared = from === undefined ? [] : ['--against', from, ...other]
  return [...compared, '--verdict', VERDICT_FILE]
}

/** Short enough for a name: the label says which revision it is. */
function planPodName(job: string, revision: string, attempt: number): string {
  const [digest = ''] = revision.slice(job.length + 1).split('-')
  return `${job}-plan-${digest}-${attempt}`
}
