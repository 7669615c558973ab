/** How a job ended. */
export interface JobResult {
  /** `stopped`: on request, with a final checkpoint from which it can go on. */
  readonly outcome: 'finished' | 'stopped' | 'cancelled' | 'failed'
  /** Why it failed. */
  readonly error: unknown
  /** It failed before anything of it ran: a restore that was refused, say. */
  readonly refused: boolean
  readonly restarts: number
  /** The last completed checkpoint's path, to be given to `--restore`. */
  readonly lastCheckpointPath: string | undefined
  /** The savepoint it was stopped with: then it is the last checkpoint, too. */
  readonly savepointPath: string | undefined
}

/** One line for people: a restart with its reason, a failed checkpoint, what was restored. */
export interface JobNotice {
  readonly level: 'info' | 'warn'
  readonly text: string
}
