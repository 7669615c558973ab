import type { JobGraph } from '../../graph/job-graph.ts'
import type { Exchange } from '../../runtime/network/channel.ts'
import type { NetworkAttempt } from '../../runtime/network/network-attempt.ts'
import type { NetworkFigures } from '../../runtime/network/network-figures.ts'
import type { NetworkSettings } from '../../runtime/network/network-settings.ts'

/** Joins this slot with the others. */
export interface DataPlane {
  /** Where other slots reach this one. */
  readonly address: string
  readonly figures: NetworkFigures
  exchange(options: ExchangeOptions): ClosableExchange
}

export interface ExchangeOptions {
  readonly graph: JobGraph
  readonly settings: NetworkSettings
  /** Ends of another one are refused. */
  readonly attempt: NetworkAttempt
  /** By slot. */
  readonly peers: readonly string[]
  /** A channel broke. */
  readonly onFailure: (error: unknown) => void
  /** See `NetworkSettings.silenceMs`. */
  readonly onUnheard: (peer: number, silentMs: number) => void
}

export interface ClosableExchange extends Exchange {
  close(): unknown
}
