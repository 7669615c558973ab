/** The data connections of one job: a channel for each pair of subtasks that talk, per attempt. */
import type { Booking, Leg } from './bank.ts'
import type { SimProcess } from './scheduler.ts'
import { SimInput, SimOutput, type SimPipeOptions } from './sim-pipe.ts'

/** A record on its way. */
export type SimRecord =
  | { readonly kind: 'leg'; readonly leg: Leg }
  | { readonly kind: 'booking'; readonly booking: Booking }

/** Names a channel. */
export interface SimRoute {
  readonly attempt: number
  /** The receiving vertex. */
  readonly vertexId: string
  readonly from: number
  readonly to: number
}

export interface SimExchangeOptions extends SimPipeOptions {
  readonly processOf: (slot: number) => SimProcess
}

export class SimExchange {
  readonly #options: SimExchangeOptions
  readonly #inputs = new Map<string, SimInput>()

  constructor(options: SimExchangeOptions) {
    this.#options = options
  }

  input(route: SimRoute): SimInput {
    const { vertexId, from, to } = route
    const attempt = this.#options.off.has('channels-per-attempt') ? 0 : route.attempt
    const key = `${attempt}/${vertexId}/${from}/${to}`
    let input = this.#inputs.get(key)
    if (input === undefined) {
      input = new SimInput(this.#options.off)
      this.#inputs.set(key, input)
    }
    return input
  }

  connect(route: SimRoute, sender: SimProcess): SimOutput {
    const { processOf } = this.#options
    const to = (): SimProcess => processOf(route.to)
    return new SimOutput(this.#options, { input: this.input(route), from: sender, to })
  }
}
