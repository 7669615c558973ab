import type { Clock } from '../../common/clock.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import type { Exchange } from '../../runtime/network/channel.ts'
import type { SlotLoop } from '../../runtime/slot-loop.ts'
import type { TaskControl } from '../../runtime/task-contract.ts'
import { makeTask, WATERMARK_INTERVAL_MS } from '../../runtime/task-factory.ts'
import type { JobSettings } from '../job-settings.ts'
import type { AttemptNetwork, RegionAttempt } from '../slot-messages.ts'
import type { UserCounters } from '../user-counters.ts'
import { stateBackendsOf } from './state-backends.ts'
import type { TaskStart } from './task-executor.ts'

export interface TaskStarterOptions {
  readonly graph: JobGraph
  readonly jobId: string
  readonly loop: SlotLoop
  /** The channels of an attempt. */
  readonly exchanges: { of(attempt: RegionAttempt, network: AttemptNetwork): Exchange }
  readonly settings: JobSettings
  /** False: the job has no store. */
  readonly keepsState: boolean
  /** Of the job, as its store has it now; absent for a job without one. */
  readonly newestGeneration?: (() => Promise<number>) | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly counters: UserCounters
}

/** Makes the function that starts a slot's tasks on its loop. */
export function makeTaskStarter(options: TaskStarterOptions): (start: TaskStart) => TaskControl {
  const { graph, jobId, loop, exchanges, settings, keepsState, newestGeneration } = options
  const { clock, random, logger, counters } = options
  return ({ subtask, of, network, restore, listener, alignment }) =>
    makeTask({
      subtask,
      rank: graph.vertices.indexOf(subtask.vertex),
      jobId,
      attempt: of.attempt,
      listener,
      loop,
      exchange: exchanges.of(of, network),
      alignment,
      state: stateBackendsOf(settings.stateBackend),
      restore,
      keepsState,
      checkpointMode: settings.checkpoint.mode,
      checkpoints: settings.checkpoint,
      isSuperseded:
        newestGeneration && (async () => (await newestGeneration()) > network.generation),
      watermarkIntervalMs: WATERMARK_INTERVAL_MS,
      clock,
      random,
      logger,
      count: (operator, metric, by) => counters.add(operator, metric, by),
    })
}
