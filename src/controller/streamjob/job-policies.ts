/**
 * What is to be done for a job, by what was observed. Pure: each policy looks at one concern and
 * speaks or is silent; the first that speaks decides. `reconcile-job.ts` performs it.
 *
 * J1: an epoch stands in the status before any pod of it exists, and never comes back.
 * J2: what has finished or failed is not started again until what it is made of changes.
 * J3: a deployment begins in the room of its tenant's quota only.
 * J4: what a newer controller has begun is left to it.
 */
import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import { overlaid } from '../conditions.ts'
import { leftToNewer } from '../newer-in.ts'
import { soonest } from '../soonest.ts'
import { asFound, type Finding } from './finding.ts'
import { decided, type JobDecision } from './job-decision.ts'
import { PAUSE } from './job-names.ts'
import { newestJobManager } from './job-target.ts'
import { keepDeployment } from './keep-pods.ts'
import { nextEpoch } from './next-epoch.ts'
import type { ObservedJob } from './observed-job.ts'
import { beginUpgrade, isAskedAnew, isRefused } from './phases/begin-upgrade.ts'
import { isRefusal } from './phases/failure.ts'
import { upgrading } from './phases/upgrade-machine.ts'
import { readyDeadline } from './ready-deadline.ts'
import { type RoomTurn, restFindings, roomHeldBy, roomTurn } from './yield-room.ts'

type Policy = (observed: ObservedJob) => JobDecision | undefined

/** In the order in which they speak. */
export const policies: readonly Policy[] = [
  beingDeleted,
  paused,
  ofNewer,
  upgrading,
  ended,
  invalid,
  overForGood,
  resting,
  notAdmitted,
  beginUpgrade,
  first,
  atWork,
]

export function decideJob(observed: ObservedJob): JobDecision {
  for (const policy of policies) {
    const decision = policy(observed)
    if (decision !== undefined) return decision
  }
  return decided(observed, {})
}

/** Its pods belong to it and go with it. */
function beingDeleted(observed: ObservedJob): JobDecision | undefined {
  if (observed.object.metadata.deletionTimestamp === undefined) return undefined
  return decided(observed, { phase: 'Deleting' })
}

function paused(observed: ObservedJob): JobDecision | undefined {
  if (observed.object.metadata.annotations?.[PAUSE] !== 'true') return undefined
  const message = `the annotation ${PAUSE} holds everything as it is: remove it to go on`
  const finding: Finding = { type: 'Stalled', holds: true, reason: 'Paused', message }
  return decided(observed, { findings: [finding] })
}

/** J4 */
function ofNewer(observed: ObservedJob): JobDecision | undefined {
  const { newer } = observed
  if (newer === undefined) return undefined
  return decided(observed, { findings: overlaid(asFound(observed), [leftToNewer(newer)]) })
}

/** The jobmanager has said its last word. */
function ended(observed: ObservedJob): JobDecision | undefined {
  if (!isDeployed(observed)) return undefined
  const { status, pods } = observed
  const last = newestJobManager(pods, status.epoch)
  if (last?.state === 'succeeded') {
    return decided(observed, { phase: 'Finished', findings: finishedFindings })
  }
  if (last === undefined || !isRefusal(last)) return undefined
  const { name } = last.pod.metadata
  const message =
    `pod ${name} refuses the job (${last.why ?? 'exit code 2'}): ` +
    `see kubectl logs ${name} --all-containers, then change the spec`
  return decided(observed, {
    phase: 'Failed',
    findings: [
      { type: 'Stalled', holds: true, reason: 'JobRefused', message },
      { type: 'Ready', holds: false, reason: 'Failed', message },
    ],
  })
}

/** What runs goes on as it was. */
function invalid(observed: ObservedJob): JobDecision | undefined {
  const { problem } = observed
  if (problem === undefined) return undefined
  const { reason, message, isAwaited } = problem
  const type = isAwaited === true ? 'Reconciling' : 'Stalled'
  const stalled: Finding = { type, holds: true, reason, message }
  if (isDeployed(observed)) return atWork(observed, [stalled])
  const ready: Finding = { type: 'Ready', holds: false, reason, message }
  const phase = observed.status.epoch === undefined ? 'Queued' : observed.status.phase
  return decided(observed, { ...(phase && { phase }), findings: [stalled, ready] })
}

/** It has finished or failed, and nothing else is asked for. */
function overForGood(observed: ObservedJob): JobDecision | undefined {
  const { status, pods } = observed
  if (status.phase !== 'Finished' && status.phase !== 'Failed') return undefined
  if (isAskedAnew(observed)) return undefined
  // The jobmanager's pod stays for its log; slots would only hold room.
  const stop = pods.filter(one => one.role === 'taskmanager' && one.state !== 'leaving')
  const findings = status.phase === 'Finished' ? finishedFindings : failedFindings(status)
  return decided(observed, { stop, findings })
}

const finishedFindings: readonly Finding[] = [
  { type: 'Ready', holds: false, reason: 'Finished', message: 'the job has come to its end' },
]

function failedFindings(status: StreamJobStatus): readonly Finding[] {
  const before = asFound({ status }).find(one => one.type === 'Stalled')
  const { reason, message } = status.refused ?? {
    reason: before?.reason ?? 'JobRefused',
    message: before?.message ?? 'the job cannot run: change its spec',
  }
  return [
    { type: 'Stalled', holds: true, reason, message },
    { type: 'Ready', holds: false, reason: 'Failed', message },
  ]
}

/** It is to have no pods, and has none. */
function resting(observed: ObservedJob): JobDecision | undefined {
  const { checked, pods } = observed
  if (!('manifest' in checked) || checked.manifest.spec.state !== 'suspended') return undefined
  if (isDeployed(observed)) return undefined
  const message = 'set spec.state: running to go on from where it was'
  return decided(observed, {
    phase: 'Suspended',
    stop: pods.filter(one => one.state !== 'leaving'),
    findings: [{ type: 'Ready', holds: false, reason: 'Suspended', message }],
  })
}

/** Its position may change without any news of it. */
const LOOK_AT_QUEUE_MS = 60_000

/** J3: where the tenant has no room, not even the first pod of a deployment is made. */
function notAdmitted(observed: ObservedJob): JobDecision | undefined {
  const { admission, status } = observed
  if (admission.kind !== 'waits' || isDeployed(observed)) return undefined
  const { tenant, position, reason, shortfall } = admission
  const message =
    `number ${position} in the queue of tenant ${tenant}: ${shortfall}; ` +
    'it starts by itself once there is room'
  return decided(observed, {
    // What was suspended stays known as such: it goes on from its state.
    phase: status.revision?.current === undefined ? 'Queued' : (status.phase ?? 'Queued'),
    queue: { position, reason, shortfall: shortfall.slice(0, 512) },
    findings: [
      { type: 'QuotaAdmitted', holds: false, reason, message },
      { type: 'Ready', holds: false, reason, message },
    ],
    againMs: LOOK_AT_QUEUE_MS,
  })
}

/**
 * J1: here the epoch is only raised; its pods come once that is stored. The API server would drop
 * silently what it does not know of a template, so it is asked before.
 */
function first(observed: ObservedJob): JobDecision | undefined {
  const { status, wanted, refusedPods } = observed
  if (status.revision?.current !== undefined || wanted === undefined) return undefined
  if (refusedPods !== undefined) return decided(observed, { phase: 'Queued' })
  const epoch = nextEpoch(status)
  const message = `deployment ${epoch} begins`
  return decided(observed, {
    phase: 'Deploying',
    epoch,
    isMove: true,
    keepRevision: wanted,
    ...(wanted.deployed.manifest.spec.podTemplate && { tryPods: wanted }),
    takesRoom: 'instead',
    store: {
      revision: { current: wanted.name, target: wanted.name },
      start: { from: 'manifest' },
    },
    findings: [
      { type: 'Reconciling', holds: true, reason: 'Deploying', message },
      { type: 'Ready', holds: false, reason: 'Deploying', message },
    ],
  })
}

/** An epoch is under way or runs. */
function isDeployed({ status }: ObservedJob): boolean {
  return status.phase === 'Deploying' || status.phase === 'Running'
}

function atWork(observed: ObservedJob, also: readonly Finding[] = []): JobDecision {
  const { status, deployed } = observed
  if (deployed === undefined) return withoutRevision(observed, also)
  const kept = keepDeployment(observed, deployed)
  const findings = [...kept.findings, ...refusedFindings(observed), ...growthFindings(observed)]
  const isStalled = findings.some(one => one.type === 'Stalled')
  const deadline = readyDeadline(observed, deployed, findings)
  if (deadline.stalled !== undefined && !isStalled) findings.push(deadline.stalled)
  const { isWhole, start, stop } = kept
  const turn = isWhole ? undefined : roomTurn(observed)
  if (turn?.kind === 'rests') return restingForRoom(observed, turn, also)
  const againMs = soonest(kept.againMs, deadline.againMs, turn?.leftMs)
  const stable = becomesStable(observed, isWhole)
  return decided(observed, {
    phase: isWhole || status.phase === 'Running' ? 'Running' : 'Deploying',
    deploy: true,
    start,
    stop,
    endedPlans: observed.plans.filter(one => one.state !== 'leaving'),
    findings: overlaid(findings, also),
    againMs,
    ...(stable && { store: { revision: stable } }),
  })
}

/** Others may use what it cannot. */
function restingForRoom(
  observed: ObservedJob,
  { leftMs }: RoomTurn,
  also: readonly Finding[],
): JobDecision {
  const stalled = asFound(observed).filter(one => one.reason === 'NotReady')
  const findings = [...restFindings(observed), ...stalled]
  return decided(observed, {
    stop: roomHeldBy(observed.pods),
    findings: overlaid(findings, also),
    againMs: leftMs,
  })
}

/** Somebody has removed it: of the same spec it is made again. */
function withoutRevision(observed: ObservedJob, also: readonly Finding[]): JobDecision {
  const { status, wanted } = observed
  const { current = '' } = status.revision ?? {}
  if (wanted?.name === current) return decided(observed, { keepRevision: wanted, findings: also })
  const message = `ControllerRevision ${current} was removed: lost pods cannot be replaced`
  const lost: Finding = { type: 'Stalled', holds: true, reason: 'RevisionLost', message }
  return decided(observed, { findings: [lost, ...also] })
}

/** The first deployment, which no upgrade led to, is gone back to once it has proved itself. */
function becomesStable(
  { status, facts, deployed }: ObservedJob,
  isWhole: boolean,
): StreamJobStatus['revision'] {
  const { revision } = status
  if (revision?.current === undefined || revision.stable === revision.current) return undefined
  const wanted = deployed?.manifest.spec.rollback.stableCheckpoints ?? 1
  const isStable = isWhole && facts?.status === 'running' && facts.checkpoints.completed >= wanted
  return isStable ? { ...revision, stable: revision.current } : undefined
}

/** An upgrade waits until there is room for what it asks for. */
function growthFindings({ admission, wanted, status }: ObservedJob): Finding[] {
  if (admission.kind !== 'waits' || wanted?.name === status.revision?.current) return []
  const { tenant, reason, shortfall } = admission
  const message = `the changed spec waits for room of tenant ${tenant}: ${shortfall}`
  return [{ type: 'QuotaAdmitted', holds: false, reason, message }]
}

/** What is asked for is not what runs. */
function refusedFindings(observed: ObservedJob): Finding[] {
  const { wanted, status } = observed
  const { refused } = status
  if (refused === undefined || wanted === undefined || !isRefused(observed, wanted.name)) return []
  const { reason, message } = refused
  const text = `${message}; the job runs on as ${status.revision?.current ?? ''}`
  const stalled: Finding = { type: 'Stalled', holds: true, reason, message: text }
  if (reason !== 'RolledBack') return [stalled]
  return [stalled, { type: 'RolledBack', holds: true, reason: 'UpgradeFailed', message }]
}
