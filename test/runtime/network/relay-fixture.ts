import { connect, createServer, type Server, type Socket } from 'node:net'
import { parsePeerAddress } from '../../../src/runtime/network/peer-address.ts'

/** Passes bytes on between a slot and another, and can spoil or cut them. */
export class Relay {
  readonly #sockets: Socket[] = []
  readonly #server: Server
  /** Of what the dialer sends. */
  spoil = (chunk: Buffer): Buffer => chunk
  /** Nothing gets through any more, in either direction, and nobody is told. */
  isDeaf = false

  private constructor(server: Server) {
    this.#server = server
  }

  static async before(address: string): Promise<Relay> {
    const at = parsePeerAddress(address)
    if (at.kind !== 'tcp') throw new Error('a relay stands before TCP')
    const server = createServer()
    const relay = new Relay(server)
    server.on('connection', near => {
      const far = connect(at.port, at.host)
      relay.#sockets.push(near, far)
      near.on('data', chunk => !relay.isDeaf && far.write(relay.spoil(chunk)))
      far.on('data', chunk => !relay.isDeaf && near.write(chunk))
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => other.destroy())
        one.on('close', () => other.destroy())
      }
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return relay
  }

  get address(): string {
    const at = this.#server.address()
    return typeof at === 'object' && at !== null ? `tcp://127.0.0.1:${at.port}` : ''
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  close(): Promise<void> {
    this.cut()
    return new Promise(resolve => this.#server.close(() => resolve()))
  }
}
