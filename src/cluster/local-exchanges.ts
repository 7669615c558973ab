import type { Exchange } from '../runtime/network/channel.ts'
import { LocalExchange } from '../runtime/network/local-channel.ts'
import type { RegionAttempt } from './slot-messages.ts'

/** The channels between the slots of this process: new ones for each attempt of a region. */
export class LocalExchanges {
  readonly #newest = new Map<number, { readonly attempt: number; readonly exchange: Exchange }>()

  of({ region, attempt }: RegionAttempt): Exchange {
    const known = this.#newest.get(region)
    if (known?.attempt === attempt) return known.exchange
    const exchange = new LocalExchange()
    this.#newest.set(region, { attempt, exchange })
    return exchange
  }
}
