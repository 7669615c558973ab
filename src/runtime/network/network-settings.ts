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
   * A connection is given up when nothing was heard for so long: the network broke without a word.
   * Longer than a process may well be busy; one that died is noticed at once.
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
  silenceMs: 30_000,
  debloat: { enabled: false, targetMs: 1_000 },
}
