/**
 * Whether a job is to go from one deployment to another, and how. Pure.
 *
 * What was rolled back or refused is not tried again until what it is made of changes: there is no
 * loop. A plan that was rejected is tried again after any edit, for the edit may be about that.
 */
import type { StreamJobStatus } from '../../../protocol/stream-job-status.ts'
import { type DiffClass, diffOf } from '../diff-class.ts'
import { decided, type JobDecision } from '../job-decision.ts'
import type { ObservedJob, Revision, Upgrade } from '../observed-job.ts'
import { said, timeOf } from './upgrade-step.ts'

type Goal = Upgrade['goal']

/** `undefined`: it stays with the deployment that it has. */
export function beginUpgrade(seen: ObservedJob): JobDecision | undefined {
  const { status, checked } = seen
  const current = currentOf(seen)
  if (current === undefined || !('manifest' in checked)) return undefined
  const wantsRest = checked.manifest.spec.state === 'suspended'
  if (wantsRest) {
    if (status.phase !== 'Running' && status.phase !== 'Deploying') return undefined
    return begun(seen, { goal: 'suspend', cause: 'Suspended', to: current })
  }
  const target = targetOf(seen) ?? current
  if (status.phase === 'Suspended') {
    return begun(seen, { goal: 'resume', cause: 'Resumed', to: target })
  }
  if (target.name === current.name) return undefined
  if (status.phase === 'Failed' || status.phase === 'Finished') {
    return begun(seen, { goal: 'resume', cause: 'SpecMended', to: target })
  }
  const { kind, fields } = diffOf(current.deployed.manifest.spec, target.deployed.manifest.spec)
  // J3: it runs on as it is meanwhile.
  if (seen.admission.kind === 'waits') return undefined
  if (kind === 'ignore') return adopted(seen, current, target)
  return begun(seen, { goal: 'upgrade', cause: causeOf(kind, fields), to: target })
}

/** What has ended is to be something else from now on. */
export function isAskedAnew(seen: ObservedJob): boolean {
  const { current } = seen.status.revision ?? {}
  const target = targetOf(seen)
  return target !== undefined && target.name !== current
}

/** What is asked for, unless that was refused. */
export function targetOf(seen: ObservedJob): Revision | undefined {
  const { wanted } = seen
  if (wanted !== undefined && !isRefused(seen, wanted.name)) return imageKept(seen, wanted)
  return currentOf(seen)
}

export function isRefused({ status, object }: ObservedJob, revision: string): boolean {
  const { refused } = status
  if (refused?.revision !== revision) return false
  const isPlan = refused.reason.startsWith('Plan') || refused.reason === 'SavepointFailed'
  return !isPlan || refused.generation === (object.metadata.generation ?? 0)
}

/** With which state. Scaling and resting never give it up. */
export function modeOf(
  seen: ObservedJob,
  goal: Goal,
  target: Revision | undefined,
): Upgrade['mode'] {
  const { checked } = seen
  const mode = 'manifest' in checked ? checked.manifest.spec.upgrade.mode : 'savepoint'
  const keeping = mode === 'savepoint' ? 'savepoint' : 'last-state'
  const current = currentOf(seen)
  if (goal === 'suspend' || current === undefined || target === undefined) return keeping
  const { kind } = diffOf(current.deployed.manifest.spec, target.deployed.manifest.spec)
  if (kind === 'restore') return 'restore'
  if (goal === 'resume') return kind === 'upgrade' && mode === 'stateless' ? mode : 'last-state'
  return kind === 'scale' ? keeping : mode
}

/** Named in the status, so that nobody removes it meanwhile. */
export function restoringOf(mode: Upgrade['mode'], { deployed }: Revision): string | undefined {
  return mode === 'restore' ? deployed.manifest.spec.restore?.path : undefined
}

function currentOf({ status, deployed }: ObservedJob): Revision | undefined {
  const name = status.revision?.current
  return name === undefined || deployed === undefined ? undefined : { name, deployed }
}

/** Other slots are no reason for another engine. */
function imageKept(seen: ObservedJob, wanted: Revision): Revision {
  const { deployed } = seen
  if (deployed === undefined || wanted.deployed.manifest.spec.image !== undefined) return wanted
  const { kind } = diffOf(deployed.manifest.spec, wanted.deployed.manifest.spec)
  if (kind === 'upgrade' || kind === 'restore') return wanted
  return { ...wanted, deployed: { ...wanted.deployed, image: deployed.image } }
}

interface Begun {
  readonly goal: Goal
  readonly cause: string
  readonly to: Revision
}

function begun(seen: ObservedJob, { goal, cause, to }: Begun): JobDecision {
  const { status, nowMs } = seen
  const from = status.revision?.current ?? ''
  const now = timeOf(nowMs)
  const mode = modeOf(seen, goal, to)
  const restoring = restoringOf(mode, to)
  const upgrade: Upgrade = {
    phase: goal === 'suspend' ? 'Savepointing' : 'Planning',
    goal,
    from,
    to: to.name,
    cause,
    mode,
    attempt: 1,
    ...(restoring && { restoring }),
    startedAt: now,
    since: now,
  }
  const phase = { upgrade: 'Upgrading', suspend: 'Suspending', resume: 'Deploying' } as const
  const note = `${from} -> ${to.name}: ${cause}, ${upgrade.mode}`
  return decided(seen, {
    phase: phase[goal],
    isMove: true,
    keepRevision: to,
    takesRoom: goal === 'suspend' ? 'none' : 'instead',
    store: { upgrade, revision: { ...status.revision, target: to.name } },
    findings: [
      { type: 'Reconciling', holds: true, reason: upgrade.phase, message: note },
      { type: 'UpgradeInProgress', holds: true, reason: upgrade.phase, message: note },
    ],
    events: goal === 'upgrade' ? [said('UpgradeStarted', note)] : [],
  })
}

/** Nothing that runs differs: it is the same deployment under another name. */
function adopted(seen: ObservedJob, current: Revision, target: Revision): JobDecision {
  const { revision = {} } = seen.status
  const wasStable = revision.stable === current.name
  const store: Partial<StreamJobStatus> = {
    revision: {
      current: target.name,
      target: target.name,
      ...(wasStable ? { stable: target.name } : revision.stable && { stable: revision.stable }),
    },
  }
  return decided(seen, { isMove: true, keepRevision: target, store })
}

function causeOf(kind: DiffClass, fields: readonly string[]): string {
  if (kind === 'restore') return 'Restored'
  if (kind === 'scale') return 'Scaled'
  return fields.length === 1 && fields[0] === 'restartNonce' ? 'Restarted' : 'SpecChanged'
}
