/** What can be set of the channels between slots. Credits and frames are Flink's by default. */
import type { DebloatSettings } from './buffer-debloater.ts'

export interface NetworkSettings {
  /**
   * How long a record may wait for others to fill its frame. 0: until the end of the task's turn.
   */
  readonly bufferTimeoutMs: number
  /** Frames each channel may always have on their way. */
  readonly exclusiveCredits: number
  /** Further frames, lent to those channels of an input that have something to send. */
  readonly floatingCredits: number
  /** The largest frame on the wire, with its header: a barrier waits for one frame at most. */
  readonly frameBytes: number
  /**
   * When nothing was heard on a connection for so long, the jobmanager is told: it knows whether
   * the other process lives and its thread of records is free. If so, the network lost the
   * connection without a word, and the attempt fails; else that process is waited for, or dead.
   * A few times longer than a thread may be kept before its heartbeats say so.
   */
  readonly silenceMs: number
  readonly debloat: DebloatSettings
}

/** No peer accepts a larger one. */
export const FRAME_BYTES_MAX = 32_768

export const defaultNetworkSettings: NetworkSettings = {
  bufferTimeoutMs: 5,
  exclusiveCredits: 2,
  floatingCredits: 8,
  frameBytes: FRAME_BYTES_MAX,
  silenceMs: 3_000,
  debloat: { enabled: false, targetMs: 1_000 },
}
