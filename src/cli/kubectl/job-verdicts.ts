/**
 * What is wrong with a job on a cluster: cause, evidence, remedy. Pure: one rule a symptom, in the
 * order in which a person should look. A new symptom is a new line in the list and a row in the
 * table test.
 */
import type { ContainerStatus } from '../../protocol/pod-status.ts'
import type { Condition } from '../../protocol/status-fields.ts'
import type { ClusterJob, ClusterPod } from './cluster-job.ts'

export interface ClusterEvent {
  readonly type?: string
  readonly reason?: string
  readonly note?: string
  readonly message?: string
  readonly regarding?: { readonly kind?: string; readonly name?: string }
}

export interface Verdict {
  readonly cause: string
  readonly evidence: string
  readonly remedy: string
}

export interface JobEvidence {
  readonly job: ClusterJob
  /** Of its newest deployment. */
  readonly pods: readonly ClusterPod[]
  /** Of its namespace, the newest last. */
  readonly events: readonly ClusterEvent[]
  readonly nowMs: number
}

type Rule = (seen: JobEvidence) => readonly Verdict[]

const rules: readonly Rule[] = [
  unseen,
  paused,
  leaving,
  unready,
  ...[unscheduled, imageless, unconfigured, outOfMemory, evicted, dying].map(ofPods),
  told,
]

/** Nothing: the job is well, as far as the cluster can tell. */
export function verdictsOf(seen: JobEvidence): readonly Verdict[] {
  const all = rules.flatMap(rule => rule(seen))
  // Several slots may say the same.
  return all.filter((one, i) => all.findIndex(other => other.cause === one.cause) === i)
}

/** Longer than any pass, and than the change of the leader. */
const SEEN_WITHIN_MS = 30_000

function unseen({ job, nowMs }: JobEvidence): Verdict[] {
  const { generation = 0, creationTimestamp = '' } = job.metadata
  const { observedGeneration } = job.status ?? {}
  const isYoung = nowMs - Date.parse(creationTimestamp) < SEEN_WITHIN_MS
  if ((observedGeneration ?? -1) >= generation || isYoung) return []
  const seen = observedGeneration === undefined ? 'none' : `generation ${observedGeneration}`
  return [
    {
      cause: 'no controller looks at the job',
      evidence: `its spec is of generation ${generation}, and ${seen} of it was seen`,
      remedy:
        'see whether the controller runs (kubectl get pods -A -l ' +
        'app.kubernetes.io/name=weir-controller), and serves this namespace (watchNamespaces)',
    },
  ]
}

function paused({ job }: JobEvidence): Verdict[] {
  if (job.metadata.annotations?.['weir.dev/pause'] !== 'true') return []
  return [
    {
      cause: 'the job is paused',
      evidence: 'it has the annotation weir.dev/pause: "true"',
      remedy: `kubectl annotate streamjob ${job.metadata.name} weir.dev/pause-`,
    },
  ]
}

const LEAVES_WITHIN_MS = 120_000

function leaving({ job, nowMs }: JobEvidence): Verdict[] {
  const { deletionTimestamp, finalizers = [] } = job.metadata
  if (deletionTimestamp === undefined) return []
  const sinceMs = nowMs - Date.parse(deletionTimestamp)
  if (sinceMs < LEAVES_WITHIN_MS) return []
  return [
    {
      cause: 'the job does not go',
      evidence: `it was deleted at ${deletionTimestamp} and is held by ${finalizers.join(', ')}`,
      remedy:
        'see that the controller runs; the annotation weir.dev/force-delete: "true" ' +
        'gives up what it waits for',
    },
  ]
}

/** What to do, by the reason that the controller gives. */
const remedies: Readonly<Record<string, string>> = {
  SpecInvalid: 'correct the fields that are named, and apply the manifest again',
  StorageNotShared: 'set spec.checkpoint.storage to a bucket that all pods reach',
  JobRefused: 'see kubectl weir logs JOB --slot jobmanager, correct the job, apply it again',
  PlanRejected: 'mend what the plan names, and apply the manifest again; what runs was not touched',
  PlanFailed: 'see kubectl weir plan FILE; what runs was not touched',
  SavepointFailed: 'see kubectl weir status JOB for the last failure of a checkpoint',
  SavepointDamaged: 'name another Savepoint in spec.restore: kubectl get savepoints -o wide',
  RolledBack: 'mend what failed, and apply the manifest again; the stable revision runs',
  RollbackFailed: 'see kubectl weir logs JOB, mend the job, and apply the manifest again',
  RollbackNeedsReplay: 'go on with a mended job, or choose a savepoint by spec.restore',
  PodsMissing: 'see what is said of its pods',
  Restarting: 'see kubectl weir status JOB for the last failure, and kubectl weir logs JOB',
  NoCheckpointYet: 'see kubectl weir status JOB for the last failure of a checkpoint',
  CheckpointOverdue: 'see kubectl weir status JOB for the last failure of a checkpoint',
  Failing: 'see kubectl weir status JOB for the last failure of a checkpoint',
  JobManagerSilent: 'see kubectl weir logs JOB --slot jobmanager, and the network policies between',
  NotReady: 'see what is said of its pods, and kubectl weir logs JOB',
  NewerController: 'end the older replicas of the controller, or upgrade them',
  QuotaExceeded: 'make room in the namespace, or raise the ResourceQuota that is named',
  ServiceAccountMissing: 'make the account, or correct spec.serviceAccountName',
  AdmissionDenied: 'change what the rule names, or ask who made the rule',
  AdmissionUnavailable: 'ask who runs the webhook that is named: it does not answer',
  PodSecurityViolated: 'take what is named out of spec.podTemplate',
  ObjectInvalid: 'correct what is named, in spec.podTemplate as a rule',
  NameTaken: 'remove the object that is named, or give the job another name',
  RightsMissing: 'see that the chart is installed as a whole, with its roles',
  QuotaPending: 'wait, free slots of the tenant, or raise its quota',
  QuotaTooSmall: 'raise the quota of the tenant, or ask for less: it never fits',
  QueueFull: 'wait until fewer jobs of the tenant are queued',
  AdmissionHeld: 'spec.admission of the tenant lets nothing new begin',
}

/**
 * Conditions that say what is wrong when they are true, and those that do when they are not. What
 * was `RolledBack` is `Stalled` as well, for the same reason.
 */
const badWhenTrue = new Set(['Stalled', 'Degraded', 'Backpressured'])
const badWhenFalse = new Set(['QuotaAdmitted', 'CheckpointHealthy'])

/** A job that is on its way there is not ill. */
const READY_WITHIN_MS = 120_000
const atRest = new Set(['Suspended', 'Parked', 'Finished'])

function unready({ job, nowMs }: JobEvidence): Verdict[] {
  const { conditions = [], phase = '' } = job.status ?? {}
  const bad = conditions.filter(isBad)
  const late = conditions.filter(({ type, status, lastTransitionTime }) => {
    const sinceMs = nowMs - Date.parse(lastTransitionTime)
    return type === 'Ready' && status === 'False' && sinceMs > READY_WITHIN_MS
  })
  // What stalls a job keeps it from being ready as well.
  const found = bad.length > 0 || atRest.has(phase) ? bad : late
  return found.map(({ type, reason, message }) => ({
    cause: `${type}: ${reason}`,
    evidence: message,
    remedy: (remedies[reason] ?? 'as the words say').replaceAll('JOB', job.metadata.name),
  }))
}

function isBad({ type, status }: Condition): boolean {
  return (
    (badWhenTrue.has(type) && status === 'True') || (badWhenFalse.has(type) && status === 'False')
  )
}

type PodRule = (pod: ClusterPod) => Verdict | undefined

function ofPods(rule: PodRule): Rule {
  return ({ pods }) => pods.flatMap(pod => rule(pod) ?? [])
}

function unscheduled({ metadata, status }: ClusterPod): Verdict | undefined {
  const found = status?.conditions?.find(
    one => one.type === 'PodScheduled' && one.status === 'False',
  )
  if (found === undefined) return undefined
  return {
    cause: 'no node has room for a pod',
    evidence: `pod ${metadata.name}: ${found.message ?? found.reason ?? ''}`,
    remedy:
      'ask for less (spec.resources, spec.parallelism), or give the cluster a node that fits; ' +
      'taints and labels are met by spec.podTemplate',
  }
}

function imageless(pod: ClusterPod): Verdict | undefined {
  const found = waitingFor(
    pod,
    /^(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNever.*)$/,
  )
  if (found === undefined) return undefined
  return {
    cause: 'an image cannot be had',
    evidence: `pod ${pod.metadata.name}: ${found}`,
    remedy: 'correct spec.image, or name its login in spec.imagePullSecrets',
  }
}

function unconfigured(pod: ClusterPod): Verdict | undefined {
  const found = waitingFor(pod, /^(CreateContainer(Config)?Error|RunContainerError)$/)
  if (found === undefined) return undefined
  return {
    cause: 'a container cannot be made',
    evidence: `pod ${pod.metadata.name}: ${found}`,
    remedy:
      'make the Secret or ConfigMap that is named, or correct spec.secrets and spec.podTemplate',
  }
}

function outOfMemory(pod: ClusterPod): Verdict | undefined {
  const killed = endedIn(pod).find(one => one.state?.terminated?.reason === 'OOMKilled')
  if (killed === undefined) return undefined
  const field = killed.name === 'taskmanager' ? 'taskManager' : 'jobManager'
  return {
    cause: `${killed.name} had too little memory`,
    evidence: `pod ${pod.metadata.name}: container ${killed.name} was ended: OOMKilled`,
    remedy: `raise spec.resources.${field}.memory`,
  }
}

function evicted({ metadata, status }: ClusterPod): Verdict | undefined {
  if (status?.reason !== 'Evicted') return undefined
  return {
    cause: 'a node sent a pod away',
    evidence: `pod ${metadata.name}: ${status.message ?? 'Evicted'}`,
    remedy: 'see the node: its disk or memory is full; spec.resources.stateVolume bounds the disk',
  }
}

/** Of one that dies once another takes the place; who reads this wants to know of the third. */
const DEATHS_MIN = 3

function dying(pod: ClusterPod): Verdict | undefined {
  const attempt = Number(pod.metadata.labels?.['weir.dev/attempt'] ?? 1)
  const died = endedIn(pod).find(({ state }) => {
    const { exitCode = 0, reason } = state?.terminated ?? {}
    return exitCode !== 0 && reason !== 'OOMKilled'
  })
  const isRefused = died?.name === 'describe'
  if (died === undefined || (attempt < DEATHS_MIN && !isRefused)) return undefined
  const { exitCode, message = '' } = died.state?.terminated ?? { exitCode: 1 }
  return {
    cause: isRefused ? 'the job does not compile or load' : `${died.name} keeps dying`,
    evidence: `pod ${pod.metadata.name}: exit code ${exitCode}: ${lastLines(message)}`,
    remedy: isRefused
      ? 'correct what is named, and apply the manifest again'
      : 'see kubectl weir logs; what failed in the job stands under weir exceptions',
  }
}

const LINES_MAX = 6

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-LINES_MAX).join('\n')
}

function containersOf({ status }: ClusterPod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
}

function endedIn(pod: ClusterPod): readonly ContainerStatus[] {
  return containersOf(pod).filter(one => one.state?.terminated !== undefined)
}

function waitingFor(pod: ClusterPod, reasons: RegExp): string | undefined {
  const found = containersOf(pod).find(one => reasons.test(one.state?.waiting?.reason ?? ''))
  if (found === undefined) return undefined
  const { reason = '', message = '' } = found.state?.waiting ?? {}
  return `${reason}: ${message}`
}

const EVENTS_MAX = 3

/** Events of the job itself that no rule above speaks of. */
function told({ job, events }: JobEvidence): Verdict[] {
  const { conditions = [], phase } = job.status ?? {}
  const isKnown = (reason: string): boolean => conditions.some(one => one.reason === reason)
  const found = events.filter(({ type, reason = '', regarding }) => {
    const isOurs = regarding?.kind === 'StreamJob' && regarding.name === job.metadata.name
    // A failure that is over is no finding.
    return isOurs && type === 'Warning' && !isKnown(reason) && phase !== 'Running'
  })
  return found.slice(-EVENTS_MAX).map(({ reason = '', note, message }) => ({
    cause: `event ${reason}`,
    evidence: note ?? message ?? '',
    remedy: 'as the words say',
  }))
}
