/** Waits until a job is where it was told to go, or says why it does not get there. */
import { formatDuration } from '../../common/duration.ts'
import { defineErrors } from '../../common/errors.ts'
import type { CliIo } from '../cli-io.ts'
import { type ClusterJob, findJob } from './cluster-job.ts'
import type { Kubectl } from './kubectl.ts'

export const waitErrors = defineErrors({
  WEIR_JOB_NOT_THERE_YET: {
    domain: 'external',
    retry: 'later',
    message: (e: { name: string; timeoutMs: number; phase: string; why: string }) =>
      `job ${e.name} is ${e.phase} after ${formatDuration(e.timeoutMs)}: ${e.why}`,
    next: 'it goes on by itself; kubectl weir doctor says what it waits for',
  },
  WEIR_JOB_STALLED: {
    domain: 'user',
    retry: 'never',
    message: (e: { name: string; phase: string; reason: string; why: string }) =>
      `job ${e.name} is ${e.phase}: ${e.reason}: ${e.why}`,
    next: 'kubectl weir doctor says what to do',
  },
})

export interface WaitOptions {
  readonly name: string
  readonly timeoutMs: number
  readonly isThere: (job: ClusterJob) => boolean
  /** One that the controller has undone did not get there. */
  readonly isUpgrade?: boolean
  /** One that has come to its end meanwhile did not get there; else that is as far as it goes. */
  readonly isForAlive?: boolean
}

/** Another deployment of the job runs. */
export function isRedeployed(before: ClusterJob): WaitOptions['isThere'] {
  const epoch = before.status?.epoch ?? 0
  return ({ status }) => status?.phase === 'Running' && (status.epoch ?? 0) > epoch
}

const LOOK_EVERY_MS = 1_000

/** Throws WEIR_JOB_STALLED, or WEIR_JOB_NOT_THERE_YET when the time is over. */
export async function waitForJob(
  kubectl: Kubectl,
  { name, timeoutMs, isThere, isUpgrade = false, isForAlive = false }: WaitOptions,
  io: CliIo,
): Promise<ClusterJob> {
  const startMs = io.clock.monotonic()
  let shown = ''
  for (;;) {
    const job = await findJob(kubectl, name)
    const { phase = 'new', observedGeneration = 0, conditions = [] } = job.status ?? {}
    const isSeen = observedGeneration >= (job.metadata.generation ?? 0)
    const holding = (type: string) =>
      conditions.find(one => one.type === type && one.status === 'True')
    const hasEnded = isSeen && phase === 'Finished'
    if (hasEnded && isForAlive) {
      const why = 'all its input is read, nothing is left that could be stopped'
      throw waitErrors.WEIR_JOB_STALLED({ name, phase, reason: phase, why })
    }
    const isOver = hasEnded || (isSeen && isThere(job))
    const undone = isOver && isUpgrade ? holding('RolledBack') : undefined
    if (isOver && undone === undefined) return job
    const stalled = undone ?? holding('Stalled')
    if (isSeen && (stalled !== undefined || phase === 'Failed')) {
      const { reason = 'Failed', message = 'see its pods' } = stalled ?? {}
      throw waitErrors.WEIR_JOB_STALLED({ name, phase, reason, why: message })
    }
    if (phase !== shown) io.err.write(`${name} is ${phase}\n`)
    shown = phase
    if (io.clock.monotonic() - startMs >= timeoutMs) {
      // What it said before is about what the job was before.
      const ready = isSeen ? conditions.find(one => one.type === 'Ready') : undefined
      const why = ready?.message ?? 'the controller has not looked at it'
      throw waitErrors.WEIR_JOB_NOT_THERE_YET({ name, timeoutMs, phase, why })
    }
    await new Promise<void>(resolve => void io.clock.schedule(LOOK_EVERY_MS, resolve))
  }
}
