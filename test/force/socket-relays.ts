/**
 * Stands between the processes of a run, to cut the wires that join them: each socket that appears
 * below a folder gets another name, and a relay takes its place. Connections that were made before
 * the relay was there go past it.
 */
import { readdirSync, renameSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Random } from '../../src/common/random.ts'

const LOOK_MS = 3
const REAL = '.real'

interface Wire {
  readonly name: string
  readonly ends: readonly [Socket, Socket]
}

export class SocketRelays {
  readonly #folders: readonly string[]
  readonly #servers: Server[] = []
  readonly #known = new Set<string>()
  readonly #wires = new Set<Wire>()
  readonly #timer: NodeJS.Timeout

  /** Sockets stand in folders of these: which of them a run takes depends on how long paths are. */
  constructor(folders: readonly string[]) {
    this.#folders = folders
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  /** Connections between slots that could be cut. */
  get count(): number {
    return this.#data().length
  }

  /** Ends one connection, as a broken cable does when the system notices. */
  cut(random: Random): void {
    const wires = this.#data()
    if (wires.length === 0) return
    for (const end of wires[random.int(wires.length)]?.ends ?? []) end.destroy()
  }

  /** Nothing comes through one connection any more, and neither end is told. */
  mute(random: Random): void {
    const wires = this.#data()
    if (wires.length === 0) return
    const [near, far] = wires[random.int(wires.length)]?.ends ?? []
    near?.unpipe().resume()
    far?.unpipe().resume()
  }

  close(): void {
    clearInterval(this.#timer)
    for (const server of this.#servers) server.close()
    for (const { ends } of this.#wires) for (const end of ends) end.destroy()
  }

  #data(): readonly Wire[] {
    return [...this.#wires].filter(({ name }) => name.startsWith('data-'))
  }

  #look(): void {
    const folders = this.#folders.flatMap(above => namesIn(above).map(name => join(above, name)))
    for (const folder of folders) {
      for (const name of namesIn(folder)) {
        const path = join(folder, name)
        const isSocket = /^(data-\d+|jobmanager)$/.test(name)
        if (!isSocket || this.#known.has(path)) continue
        this.#known.add(path)
        this.#stepBetween(path, name)
      }
    }
  }

  #stepBetween(path: string, name: string): void {
    try {
      renameSync(path, path + REAL)
    } catch {
      // It is gone again.
      return
    }
    const server = createServer({ allowHalfOpen: true }, near => {
      const far = connect({ path: path + REAL, allowHalfOpen: true })
      const wire: Wire = { name, ends: [near, far] }
      this.#wires.add(wire)
      near.pipe(far)
      far.pipe(near)
      const over = (): void => {
        this.#wires.delete(wire)
        near.destroy()
        far.destroy()
      }
      for (const end of wire.ends) end.on('error', over).on('close', over)
    })
    server.on('error', () => {})
    server.listen(path)
    this.#servers.push(server)
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
