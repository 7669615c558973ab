import type { PollResult, SourceOutput } from '../../api/source.ts'

/** Reads one split ahead of the task and hands over what has come. */
export interface SplitScanner<T> {
  /** Emits up to `output.batchSize` records that are there. Throws what reading ran into. */
  emit(output: SourceOutput<T>): PollResult
  /** Where the next record begins. */
  readonly position: number
  close(): Promise<void>
}

export interface ScannerContext {
  wakeUp(): void
}
