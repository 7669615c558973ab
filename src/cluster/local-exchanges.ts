import type { Exchange } from '../runtime/network/channel.ts'
import { LocalExchange } from '../runtime/network/local-channel.ts'

/** The channels between the slots of this process: new ones for each attempt. */
export class LocalExchanges {
  #attempt = -1
  #exchange: LocalExchange = new LocalExchange()

  of(attempt: number): Exchange {
    if (attempt !== this.#attempt) {
      this.#attempt = attempt
      this.#exchange = new LocalExchange()
    }
    return this.#exchange
  }
}
