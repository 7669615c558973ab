/**
 * The world as a verb sees it. `bin/weir.ts` makes the real one; tests pass their own.
 */
import type { Clock } from '../common/clock.ts'
import type { Config } from '../common/config.ts'

export interface Terminal {
  write(text: string): void
  /** Resolves when it can take more; `undefined`: it can. */
  flushed?(): Promise<void> | undefined
  /** A person looks at it: lines may be redrawn. */
  readonly isTty: boolean
  /** Width in characters; 80 where nobody knows. */
  readonly columns: number
}

export interface CliIo {
  /** What was asked for. */
  readonly out: Terminal
  /** Everything else: progress, warnings, errors. */
  readonly err: Terminal
  readonly cwd: string
  readonly config: Config
  readonly clock: Clock
  /** The running Node, for child processes. */
  readonly nodePath: string
  /** Handed on to child processes; what Weir itself reads of it is in `config`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Called at each Ctrl-C or SIGTERM until the returned function is called. */
  onStop(handler: (signal: StopSignal) => void): () => void
  /** Ends the process at once; only for the second Ctrl-C. */
  exitNow(code: number): never
}

export type StopSignal = 'SIGINT' | 'SIGTERM'

/** What each exit code means; printed by `weir --help`. */
export const exitCodes = {
  ok: 0,
  /** The job failed, or a test did. */
  failed: 1,
  /** Wrong usage, manifest, job or checkpoint: nothing was started. */
  invalid: 2,
  /** A plan that cannot be rolled out. */
  blocked: 3,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
  /** Stopped by SIGTERM. */
  terminated: 143,
} as const
