/** The events of a pass: an event tells a change; what lasts is a condition. Pure. */
import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import type { EventWords } from '../kube/event-series.ts'

const action = 'Reconcile'

/** `own`: what the decision itself tells. */
export function jobEvents(
  before: StreamJobStatus,
  after: StreamJobStatus,
  own: readonly EventWords[] = [],
): readonly EventWords[] {
  const change = own.length > 0 ? undefined : (stalled(before, after) ?? phase(before, after))
  return [...own, change, scheduling(before, after), checkpoints(before, after)].filter(
    words => words !== undefined,
  )
}

/** Why a pod cannot be made or waits; what a person is needed for is told as that. */
function scheduling(before: StreamJobStatus, after: StreamJobStatus): EventWords | undefined {
  const was = conditionOf(before, 'Scheduled')
  const now = conditionOf(after, 'Scheduled')
  if (now?.status !== 'False' || now.reason === was?.reason) return undefined
  if (conditionOf(after, 'Stalled')?.reason === now.reason) return undefined
  return { type: 'Warning', reason: now.reason, action, note: now.message }
}

function stalled(before: StreamJobStatus, after: StreamJobStatus): EventWords | undefined {
  const now = conditionOf(after, 'Stalled')
  if (now === undefined || now.reason === conditionOf(before, 'Stalled')?.reason) return undefined
  // What was refused was told when that happened.
  if (now.reason === before.refused?.reason) return undefined
  return { type: 'Warning', reason: now.reason, action, note: now.message }
}

function phase(before: StreamJobStatus, after: StreamJobStatus): EventWords | undefined {
  if (after.phase === undefined || before.phase === after.phase) return undefined
  const type = after.phase === 'Failed' ? 'Warning' : 'Normal'
  const note = `${before.phase ?? 'new'} -> ${after.phase}, epoch ${after.epoch ?? 0}`
  return { type, reason: after.phase, action, note }
}

function checkpoints(before: StreamJobStatus, after: StreamJobStatus): EventWords | undefined {
  const was = conditionOf(before, 'CheckpointHealthy')?.status
  const now = conditionOf(after, 'CheckpointHealthy')
  if (now?.status === 'False' && was !== 'False') {
    return { type: 'Warning', reason: 'CheckpointFailing', action, note: now.message }
  }
  if (now?.status === 'True' && was === 'False') {
    return { type: 'Normal', reason: 'CheckpointRecovered', action, note: now.message }
  }
  return undefined
}

function conditionOf({ conditions }: StreamJobStatus, type: string) {
  return conditions?.find(one => one.type === type)
}
