/**
 * One input of a task of this slot, as far as it is fed from other slots: what its channels share.
 *
 * Owns        the credits of the input, the code that reads records, and the size of frames.
 */
import { type FrameDecoder, makeFrameDecoder } from '../../schema/frame-decoder.ts'
import type { Type } from '../../schema/type.ts'
import { BufferDebloater } from './buffer-debloater.ts'
import { type CreditAccount, CreditPool } from './credit-pool.ts'
import type { InputLine } from './input-line.ts'
import type { InputFigures } from './network-figures.ts'
import type { NetworkSettings } from './network-settings.ts'
import { RemoteInput } from './remote-input.ts'

interface GateChannel {
  readonly line: InputLine
  readonly account: CreditAccount
}

export class RemoteGate {
  /** The number of the edge on the wire. */
  readonly #index: number
  readonly #decoder: FrameDecoder<unknown>
  readonly #pool: CreditPool
  readonly #debloater: BufferDebloater | undefined
  readonly #channels: GateChannel[] = []
  readonly #frames: { readonly exclusive: number; readonly floating: number }
  #takenBytes = 0
  #frameBytes: number

  constructor(index: number, type: Type<unknown>, settings: NetworkSettings) {
    const { exclusiveCredits, floatingCredits, debloat, frameBytes } = settings
    this.#index = index
    this.#decoder = makeFrameDecoder(type)
    this.#frameBytes = frameBytes
    this.#frames = { exclusive: exclusiveCredits, floating: floatingCredits }
    this.#pool = new CreditPool(this.#frames)
    if (!debloat.enabled) return
    const { targetMs } = debloat
    this.#debloater = new BufferDebloater({ targetMs, frameBytesMax: frameBytes })
  }

  /** The channel from the slot at the other end of this connection. */
  connect(line: InputLine): RemoteInput {
    const account = this.#pool.account(() => line.grant(this.#index))
    const input = new RemoteInput({
      decoder: this.#decoder,
      account,
      took: bytes => {
        this.#takenBytes += bytes
      },
    })
    this.#channels.push({ line, account })
    line.add(this.#index, input)
    account.open()
    return input
  }

  get figures(): InputFigures {
    let held = 0
    let granted = 0
    for (const { account } of this.#channels) {
      held += account.held
      granted += account.granted
    }
    const { exclusive, floating } = this.#frames
    const most = exclusive * this.#channels.length + floating
    const frameBytes = this.#frameBytes
    return { queuedFrames: held, credits: granted, usage: held / most, frameBytes }
  }

  /** So much time passed since the last call. */
  sample(elapsedMs: number): void {
    const bytes = this.#takenBytes
    this.#takenBytes = 0
    let frames = 0
    let held = 0
    for (const { account } of this.#channels) {
      frames += account.granted + account.held
      held += account.held
    }
    // Nothing waits here: what is on its way makes nobody wait.
    if (held === 0) return
    const size = this.#debloater?.sample({ bytes, elapsedMs, frames })
    if (size === undefined) return
    this.#frameBytes = size
    for (const { line } of this.#channels) line.resize(this.#index, size)
  }
}
