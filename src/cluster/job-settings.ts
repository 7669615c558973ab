/**
 * How a job runs: its checkpoints, restarts and state backend, as plain numbers. Durations are ms.
 */
import { parseDuration } from '../common/duration.ts'
import type { StreamJobSpec } from '../protocol/stream-job.ts'
import {
  defaultNetworkSettings,
  type NetworkSettings,
} from '../runtime/network/network-settings.ts'
import type { BarrierAlignment } from '../runtime/task-contract.ts'

export interface JobSettings {
  readonly checkpoint: CheckpointSettings
  readonly restart: RestartSettings
  readonly stateBackend: StateBackendSettings
  readonly network: NetworkSettings
}

export interface CheckpointSettings {
  readonly mode: 'exactly-once' | 'at-least-once'
  /** How barriers pass data; savepoints and the last checkpoint are aligned all the same. */
  readonly alignment: BarrierAlignment
  /** From trigger to trigger; `undefined`: only final checkpoints and savepoints. */
  readonly intervalMs: number | undefined
  readonly minPauseMs: number
  readonly timeoutMs: number
  readonly maxConcurrent: number
  /** Failures in a row that are borne; the next one restarts the job. */
  readonly tolerableFailures: number
  /** Completed checkpoints that are kept. */
  readonly retained: number
}

export interface RestartSettings {
  readonly strategy: 'exponential-delay' | 'fixed-delay' | 'failure-rate' | 'none'
  readonly initialDelayMs: number
  readonly maxDelayMs: number
  /** Restarts that are tried; `undefined`: the strategy's own. */
  readonly attempts: number | undefined
  /** So long without a failure forgets the earlier ones; the interval of `failure-rate`. */
  readonly resetAfterMs: number
}

export interface StateBackendSettings {
  readonly type: 'heap' | 'rocksdb'
  readonly options: Readonly<Record<string, string | number>>
}

/** What is restored at the start. */
export type RestoreRequest =
  /** The last completed checkpoint of the job's earlier runs. */
  | ({ readonly kind: 'latest' } & DropState)
  /** What runs of this job with other numbers left (N5 of generations), if any of them began. */
  | ({ readonly kind: 'continue'; readonly otherwise: FirstRestore } & DropState)
  | FirstRestore

/** What a job begins with that has never run. */
export type FirstRestore =
  | { readonly kind: 'none' }
  /** A checkpoint or savepoint: a folder of the store, or a whole location. */
  | ({
      readonly kind: 'path'
      readonly path: string
      /** Whose it is, where that is another job: its id. */
      readonly fromJob?: string
    } & DropState)

interface DropState {
  /**
   * What may be given up where it cannot be kept: operators (uid or id), or single states as
   * `uid.state`.
   */
  readonly dropState?: readonly string[]
}

/** Of a job without a manifest; the same as the manifest's defaults. */
export const defaultSettings: JobSettings = {
  checkpoint: {
    mode: 'exactly-once',
    alignment: { kind: 'aligned' },
    intervalMs: 10_000,
    minPauseMs: 0,
    timeoutMs: 600_000,
    maxConcurrent: 1,
    tolerableFailures: 0,
    retained: 3,
  },
  restart: {
    strategy: 'exponential-delay',
    initialDelayMs: 1_000,
    maxDelayMs: 60_000,
    attempts: undefined,
    resetAfterMs: 3_600_000,
  },
  stateBackend: { type: 'heap', options: {} },
  network: defaultNetworkSettings,
}

/** The settings that a manifest's spec asks for. */
export function settingsOf(
  spec: Pick<StreamJobSpec, 'checkpoint' | 'restart' | 'stateBackend' | 'network'>,
): JobSettings {
  const { checkpoint, restart, stateBackend, network } = spec
  return {
    checkpoint: {
      mode: checkpoint.mode,
      alignment: alignmentOf(checkpoint),
      intervalMs: parseDuration(checkpoint.interval),
      minPauseMs: parseDuration(checkpoint.minPause) ?? 0,
      timeoutMs: parseDuration(checkpoint.timeout) ?? defaultSettings.checkpoint.timeoutMs,
      maxConcurrent: 1,
      tolerableFailures: checkpoint.tolerableFailures,
      retained: checkpoint.retained,
    },
    restart: {
      strategy: restart.strategy,
      initialDelayMs: parseDuration(restart.initialDelay) ?? 1_000,
      maxDelayMs: parseDuration(restart.maxDelay) ?? 60_000,
      attempts: restart.attempts,
      resetAfterMs: parseDuration(restart.resetAfter) ?? 3_600_000,
    },
    stateBackend: { type: stateBackend.type, options: stateBackend.options ?? {} },
    network: networkOf(network),
  }
}

function networkOf({
  bufferTimeout,
  buffersPerChannel,
  floatingBuffersPerGate,
  bufferDebloat,
}: StreamJobSpec['network']): NetworkSettings {
  const { bufferTimeoutMs, debloat } = defaultNetworkSettings
  return {
    ...defaultNetworkSettings,
    bufferTimeoutMs: parseDuration(bufferTimeout) ?? bufferTimeoutMs,
    exclusiveCredits: buffersPerChannel,
    floatingCredits: floatingBuffersPerGate,
    debloat: {
      enabled: bufferDebloat.enabled,
      targetMs: parseDuration(bufferDebloat.target) ?? debloat.targetMs,
    },
  }
}

/** A timeout of nothing is no patience at all, as in Flink. */
function alignmentOf(checkpoint: StreamJobSpec['checkpoint']): BarrierAlignment {
  const { mode, alignment, alignmentTimeout } = checkpoint
  if (mode === 'at-least-once' || alignment === 'aligned') return { kind: 'aligned' }
  const timeoutMs = parseDuration(alignmentTimeout ?? '0ms') ?? 0
  if (alignment === 'unaligned' || timeoutMs === 0) return { kind: 'unaligned' }
  return { kind: 'timeout', timeoutMs }
}
