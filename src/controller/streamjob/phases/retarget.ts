/** What an edit in the middle of an upgrade changes (U5). Pure. */
import { isRefused, modeOf, restoringOf, targetOf } from './begin-upgrade.ts'
import { type PhaseView, type Step, said } from './upgrade-step.ts'

/** `undefined`: the phase goes on. */
export function retargeted(view: PhaseView): Step | undefined {
  const { upgrade } = view
  switch (upgrade.phase) {
    case 'Planning':
    case 'Reserving':
    case 'Savepointing':
      return beforeTheStop(view)
    case 'Starting':
    case 'Verifying':
      return suspendedLate(view)
    case 'Stopping':
    case 'RollingBack':
      // `Stopping` looks at the state that is asked for when it is over.
      return undefined
  }
}

function beforeTheStop(view: PhaseView): Step | undefined {
  const { seen, upgrade, spec } = view
  const isSuspended = spec.state === 'suspended'
  if (isSuspended !== (upgrade.goal === 'suspend')) return otherGoal(view, isSuspended)
  if (isSuspended || upgrade.rollback !== undefined) return undefined
  const target = targetOf(seen)
  if (target === undefined || target.name === upgrade.to) return undefined
  // What there is no room for waits until this one is over.
  if (seen.admission.kind === 'waits') return undefined
  const hasOrdered = upgrade.request !== undefined
  if (target.name === upgrade.from && !hasOrdered && upgrade.goal === 'upgrade') {
    return called(view, `the spec is again that of ${target.name}`)
  }
  const mode = modeOf(seen, upgrade.goal, target)
  return {
    kind: 'move',
    phase: 'Planning',
    keepRevision: target,
    change: { to: target.name, attempt: 1, mode, restoring: restoringOf(mode, target) },
  }
}

function otherGoal(view: PhaseView, isSuspended: boolean): Step {
  const { seen, upgrade } = view
  if (isSuspended && upgrade.goal === 'resume') {
    return { kind: 'end', phase: 'Suspended', result: 'cancelled' }
  }
  if (isSuspended) {
    const mode = modeOf(seen, 'suspend', undefined)
    const change = { goal: 'suspend', cause: 'Suspended', to: upgrade.from, mode } as const
    return { kind: 'move', phase: 'Savepointing', change }
  }
  if (upgrade.request === undefined) return called(view, 'the job is to run on')
  // It has been told to stop: it goes on from there.
  const change = { goal: 'upgrade', cause: 'Resumed' } as const
  return { kind: 'move', phase: 'Savepointing', change }
}

function called({ upgrade }: PhaseView, note: string): Step {
  const events = [said('UpgradeCancelled', `${upgrade.from} -> ${upgrade.to}: ${note}`)]
  return { kind: 'end', phase: 'Running', result: 'cancelled', events }
}

/** A job that is to rest does not have to come to run first. */
function suspendedLate({ seen, upgrade, spec }: PhaseView): Step | undefined {
  if (spec.state !== 'suspended') return undefined
  const isUndone = isRefused(seen, upgrade.to)
  const change = {
    goal: 'suspend',
    cause: isUndone ? 'RolledBack' : 'Suspended',
    from: upgrade.to,
    mode: 'last-state',
  } as const
  return { kind: 'move', phase: 'Stopping', change }
}
