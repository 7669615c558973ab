/** The data connections of one job: a channel for each pair of subtasks that talk, per attempt. */
import type { CheckpointBarrier } from '../../runtime/task-contract.ts'
import type { Booking, Leg } from './bank.ts'
import type { Scheduler, SimProcess } from './scheduler.ts'
import { SimChannel } from './sim-channel.ts'

export type SimItem =
  | { readonly kind: 'leg'; readonly leg: Leg }
  | { readonly kind: 'booking'; readonly booking: Booking }
  | { readonly kind: 'barrier'; readonly barrier: CheckpointBarrier }
  | { readonly kind: 'cancel'; readonly checkpointId: number }
  /** No more records; barriers still come. */
  | { readonly kind: 'end' }
  /** Nothing comes any more. */
  | { readonly kind: 'closed' }

/** The receiving end: what arrived and was not taken yet. */
export interface SimInput {
  readonly inbox: SimItem[]
  blocked: boolean
  /** `undefined` until the receiving task runs. */
  wake: (() => void) | undefined
}

/** Names a channel. */
export interface SimRoute {
  readonly attempt: number
  /** The receiving vertex. */
  readonly vertexId: string
  readonly from: number
  readonly to: number
}

export interface SimExchangeOptions {
  readonly scheduler: Scheduler
  readonly processOf: (slot: number) => SimProcess
  readonly delayMs: number
  readonly ordered: boolean
}

export class SimExchange {
  readonly #options: SimExchangeOptions
  readonly #inputs = new Map<string, SimInput>()

  constructor(options: SimExchangeOptions) {
    this.#options = options
  }

  input(route: SimRoute): SimInput {
    const key = `${route.attempt}/${route.vertexId}/${route.from}/${route.to}`
    let input = this.#inputs.get(key)
    if (input === undefined) {
      input = { inbox: [], blocked: false, wake: undefined }
      this.#inputs.set(key, input)
    }
    return input
  }

  connect(route: SimRoute, sender: SimProcess): SimChannel<SimItem> {
    const { scheduler, processOf, delayMs, ordered } = this.#options
    const input = this.input(route)
    return new SimChannel({
      scheduler,
      from: sender,
      to: () => processOf(route.to),
      delayMs,
      ordered,
      deliver: item => {
        input.inbox.push(item)
        input.wake?.()
      },
    })
  }
}
