/**
 * Stands before a broker and reads along: it sees which request a client sends, and can lose the
 * request, lose its answer, or tell somebody. Answers that name the broker name the relay instead.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'

export interface KafkaRequest {
  readonly name: string
  /** Of EndTxn: how the transaction is to end. */
  readonly ends: 'commit' | 'abort' | undefined
  /** The port of the client's end: it tells who sent the request. */
  readonly port: number
  readonly clientId: string
}

/**
 * `lost`: the broker never sees it. `unanswered`: the broker does what was asked, and its answer is
 * lost. In both cases the connection ends.
 */
export type KafkaFault = 'lost' | 'unanswered'

export interface KafkaRelayHooks {
  /** A request came. */
  request?(seen: KafkaRequest): KafkaFault | undefined | Promise<KafkaFault | undefined>
  /** The broker's answer came, and goes on unless it is lost. */
  answered?(seen: KafkaRequest): void
}

const names: Readonly<Record<number, string>> = {
  0: 'Produce',
  1: 'Fetch',
  3: 'Metadata',
  10: 'FindCoordinator',
  22: 'InitProducerId',
  24: 'AddPartitionsToTxn',
  26: 'EndTxn',
  65: 'DescribeTransactions',
  66: 'ListTransactions',
}
const namesBroker = new Set(['Metadata', 'FindCoordinator'])
const HOST = '127.0.0.1'
const END_TXN = 26
/** From this version on something follows the outcome. */
const FLEXIBLE_END_TXN = 3

interface Wire {
  readonly near: Socket
  readonly far: Socket
  readonly waiting: Map<number, { readonly seen: KafkaRequest; readonly isLost: boolean }>
  end(): void
}

export class KafkaRelay {
  hooks: KafkaRelayHooks = {}
  readonly #server: Server
  readonly #target: number
  readonly #wires = new Set<Wire>()

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer(near => this.#join(near))
  }

  /** `target`: the broker, as `host:port` on this machine. */
  static async start(target: string): Promise<KafkaRelay> {
    const relay = new KafkaRelay(Number(target.split(':')[1]))
    await new Promise<void>(resolve => relay.#server.listen(0, HOST, resolve))
    return relay
  }

  get address(): string {
    return `${HOST}:${this.#port}`
  }

  /** Ends all connections, whatever is on its way. */
  cut(): void {
    for (const wire of this.#wires) wire.end()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise(resolve => this.#server.close(resolve))
  }

  get #port(): number {
    return (this.#server.address() as { readonly port: number }).port
  }

  #join(near: Socket): void {
    const far = connect({ host: HOST, port: this.#target })
    const wire: Wire = {
      near,
      far,
      waiting: new Map(),
      end: () => {
        this.#wires.delete(wire)
        near.destroy()
        far.destroy()
      },
    }
    this.#wires.add(wire)
    for (const socket of [near, far]) socket.on('error', wire.end).on('close', wire.end)
    // One after the other: a hook may take its time, and the order stays.
    let passed = Promise.resolve()
    eachFrame(near, frame => {
      passed = passed.then(() => this.#request(wire, frame)).catch(wire.end)
    })
    eachFrame(far, frame => this.#answer(wire, frame))
  }

  async #request(wire: Wire, frame: Buffer): Promise<void> {
    const key = frame.readInt16BE(4)
    const version = frame.readInt16BE(6)
    const idLength = Math.max(0, frame.readInt16BE(12))
    const outcome = frame.at(key === END_TXN && version >= FLEXIBLE_END_TXN ? -2 : -1)
    const seen: KafkaRequest = {
      name: names[key] ?? String(key),
      ends: key === END_TXN ? (outcome === 1 ? 'commit' : 'abort') : undefined,
      port: wire.near.remotePort ?? 0,
      clientId: frame.toString('utf8', 14, 14 + idLength),
    }
    const fault = await this.hooks.request?.(seen)
    if (fault === 'lost') return wire.end()
    wire.waiting.set(frame.readInt32BE(8), { seen, isLost: fault === 'unanswered' })
    wire.far.write(frame)
  }

  #answer(wire: Wire, frame: Buffer): void {
    const correlation = frame.readInt32BE(4)
    const asked = wire.waiting.get(correlation)
    wire.waiting.delete(correlation)
    if (asked?.isLost !== true) {
      if (namesBroker.has(asked?.seen.name ?? '')) this.#rename(frame)
      wire.near.write(frame)
    }
    if (asked === undefined) return
    this.hooks.answered?.(asked.seen)
    if (asked.isLost) wire.end()
  }

  /** Where the answer has the broker's address it gets ours, which is as long. */
  #rename(frame: Buffer): void {
    const broker = Buffer.concat([
      Buffer.from(`\0${String.fromCharCode(HOST.length)}${HOST}`),
      port(this.#target),
    ])
    const own = port(this.#port)
    for (let at = frame.indexOf(broker); at >= 0; at = frame.indexOf(broker, at + 1)) {
      own.copy(frame, at + broker.length - own.length)
    }
  }
}

function port(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Calls back with each whole frame: its length, then so many bytes. */
function eachFrame(socket: Socket, take: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  let pieces: Buffer[] = []
  let size = 0
  socket.on('data', (bytes: Buffer) => {
    pieces.push(bytes)
    size += bytes.length
    const needed = rest.length >= 4 ? rest.readInt32BE(0) + 4 : 4
    if (rest.length + size < needed) return
    rest = Buffer.concat([rest, ...pieces])
    pieces = []
    size = 0
    while (rest.length >= 4) {
      const length = rest.readInt32BE(0) + 4
      if (rest.length < length) return
      take(Buffer.from(rest.subarray(0, length)))
      rest = rest.subarray(length)
    }
  })
}
