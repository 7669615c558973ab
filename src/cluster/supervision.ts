/**
 * The words between a jobmanager and a supervisor that started it on the same machine. A jobmanager
 * without one, as in a pod, runs the same way and logs instead.
 */
import type { StartControlThread } from './control/control-thread-messages.ts'
import type { JobProgress } from './job-progress.ts'
import type { JobNotice, JobResult } from './job-result.ts'
import type { FailureReport } from './slot-messages.ts'

export type FromJobManager =
  /** The first word: it will go on from here. */
  | { readonly kind: 'up' }
  /** Often. */
  | { readonly kind: 'progress'; readonly progress: JobProgress }
  | { readonly kind: 'notice'; readonly notice: JobNotice }
  /** So many slots are needed from now on, after a rescale or for one. */
  | { readonly kind: 'slots'; readonly slots: number }
  /** The process was given up, but may still live. */
  | { readonly kind: 'silent'; readonly slot: number; readonly pid: number }
  | {
      readonly kind: 'ended'
      readonly result: Omit<JobResult, 'error'>
      readonly failure: FailureReport | undefined
      readonly progress: JobProgress
    }

export type ToJobManagerProcess =
  | { readonly kind: 'stop' }
  /** The result was taken: nothing keeps the process any more. */
  | { readonly kind: 'taken' }

/** The pipe to the supervisor, as a door gives it. */
export interface SupervisorPipe {
  send(message: unknown): void
  onMessage(take: (message: unknown) => void): void
  /** The supervisor is gone, and with it all reason to go on. */
  onGone(callback: () => void): void
}

/**
 * A pipe of its own from the control thread of a jobmanager to the supervisor: a byte four times
 * a second says that the process lives, and for how many whole seconds its other thread has been
 * kept.
 */
export const lifeLine = {
  /** Where the supervisor leaves its end, and the variable that says so. */
  descriptor: 4,
  variable: 'WEIR_LIFE_LINE',
  intervalMs: 250,
} as const

const KEPT_SECONDS_MAX = 255

export function encodeLife(keptMs: number): Uint8Array {
  return Uint8Array.of(Math.min(KEPT_SECONDS_MAX, Math.floor(keptMs / 1_000)))
}

/** Of what has arrived the last byte counts: so long the other thread has been kept, in ms. */
export function decodeLife(bytes: Uint8Array): number {
  return (bytes.at(-1) ?? 0) * 1_000
}

/** What a process finds around itself; `bin/` makes the real one. */
export interface ProcessHost {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly pid: number
  /** `undefined`: nobody supervises it. */
  readonly supervisor: SupervisorPipe | undefined
  /** Of Weir. */
  readonly version: string
  /** Called when the process is asked to end. */
  onTerm(callback: () => void): void
  readonly startControlThread: StartControlThread
  /** Takes a line of the log. */
  log(line: string): void
}

/** How a process ends. */
export const processExits = {
  ok: 0,
  /** The job failed, or this process could not go on. */
  failed: 1,
  /** It was started wrongly: to start it again changes nothing. */
  refused: 2,
} as const
