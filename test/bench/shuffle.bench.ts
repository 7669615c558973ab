/**
 * keyBy between two processes: bids of one process, routed by key to two subtasks in the other, which
 * read two fields of each; against lines of JSON over the same kind of socket. Then the latency of
 * 100,000 records/s by buffer timeout.
 *
 *   --records N --rounds N --transport unix,tcp --exclusive N --floating N
 *   --latency no --timeouts 0,5,100
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  defaultNetworkSettings,
  type NetworkSettings,
} from '../../src/runtime/network/network-settings.ts'
import { type BenchCase, type BenchIo, compare, defineBench, median } from './bench-harness.ts'
import type { Answer, Order } from './shuffle-process.ts'

const program = join(import.meta.dirname, 'shuffle-process.ts')

class Child {
  readonly #process: ChildProcess
  readonly #answers: Answer[] = []
  #wake = (): void => {}

  constructor() {
    this.#process = fork(program)
    this.#process.on('message', message => {
      this.#answers.push(message as Answer)
      this.#wake()
    })
    this.#process.on('exit', code => {
      if (code !== null && code !== 0) throw new Error(`a process of the benchmark ended: ${code}`)
    })
  }

  tell(order: Order): void {
    this.#process.send(order)
  }

  async hear<K extends Answer['kind']>(kind: K): Promise<Extract<Answer, { kind: K }>> {
    for (;;) {
      const next = this.#answers.shift()
      if (next?.kind === kind) return next as Extract<Answer, { kind: K }>
      if (next === undefined) await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  end(): void {
    this.#process.disconnect()
  }
}

interface PairOptions {
  readonly transport: 'unix' | 'tcp'
  readonly settings?: Partial<NetworkSettings>
  readonly lines?: boolean
}

/** A sender and a receiver, joined. */
class Pair {
  readonly sender = new Child()
  readonly receiver = new Child()
  /** Of CPU time a second of wall time, by run: what limits. */
  readonly shares: { readonly sender: number; readonly receiver: number }[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'weir-shuffle-'))

  async open({ transport, settings, lines = false }: PairOptions): Promise<this> {
    const children = [this.sender, this.receiver]
    const peers = await Promise.all(
      children.map(async (child, slot) => {
        const path = join(this.#folder, `${slot}.sock`)
        const listen = transport === 'unix' ? `unix:${path}` : 'tcp://127.0.0.1:0'
        child.tell({ kind: 'listen', slot, listen })
        return (await child.hear('ready')).address
      }),
    )
    // The receiver first: a plain server must listen before it is dialed.
    for (const child of children.toReversed()) {
      const all = { ...defaultNetworkSettings, ...settings }
      child.tell({ kind: 'join', peers, settings: all, lines })
      await child.hear('ready')
    }
    return this
  }

  async run(count: number): Promise<{ count: number; elapsedMs: number; cpuMs: number }> {
    const start = await this.#begin(count, undefined)
    const received = await this.receiver.hear('done')
    const elapsedMs = performance.now() - start
    const sent = await this.sender.hear('done')
    if (received.count !== count) throw new Error(`${received.count} of ${count} records arrived`)
    this.shares.push({ sender: sent.cpuMs / elapsedMs, receiver: received.cpuMs / elapsedMs })
    return { count, elapsedMs, cpuMs: sent.cpuMs + received.cpuMs }
  }

  async pace(count: number, perMs: number): Promise<readonly number[]> {
    await this.#begin(count, perMs)
    const { sorted } = await this.receiver.hear('latencies')
    await this.sender.hear('done')
    return sorted
  }

  /** The receiver counts before anything comes; the time at which the sender was told. */
  async #begin(count: number, perMs: number | undefined): Promise<number> {
    this.receiver.tell({ kind: 'run', count, perMs })
    await this.receiver.hear('ready')
    const start = performance.now()
    this.sender.tell({ kind: 'run', count, perMs })
    return start
  }

  close(): void {
    this.sender.end()
    this.receiver.end()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

async function throughput(io: BenchIo, transports: readonly ('unix' | 'tcp')[]): Promise<void> {
  const records = io.count('records', 1_000_000)
  for (const transport of transports) {
    const frames = await new Pair().open({ transport, settings: settingsOf(io) })
    const lines = await new Pair().open({ transport, lines: true })
    const caseOf = (name: string, pair: Pair, count: number): BenchCase => ({
      name,
      run: () => pair.run(count),
    })
    io.report(
      await compare({
        title: `keyBy across two processes, ${transport}`,
        rounds: io.count('rounds', 5),
        baseline: caseOf('lines of JSON', lines, records / 4),
        cases: [caseOf('frames', frames, records)],
      }),
    )
    io.print(limits(frames))
    frames.close()
    lines.close()
  }
}

/** Credits other than the defaults, to see what they bring. */
function settingsOf(io: BenchIo): Partial<NetworkSettings> {
  const { exclusiveCredits, floatingCredits } = defaultNetworkSettings
  return {
    exclusiveCredits: io.count('exclusive', exclusiveCredits),
    floatingCredits: io.count('floating', floatingCredits),
  }
}

function limits(pair: Pair): string {
  const share = (of: 'sender' | 'receiver'): string =>
    `${Math.round(100 * median(pair.shares.map(one => one[of])))} %`
  return `  CPU: sender ${share('sender')} of a core, receiver ${share('receiver')}\n`
}

async function latency(io: BenchIo): Promise<void> {
  io.print('latency at 100,000 records/s over a Unix socket, ms')
  io.print('  buffer timeout       p50      p99    p99.9      max')
  for (const text of io.option('timeouts', '0,1,5,20,100').split(',')) {
    const settings = { bufferTimeoutMs: Number(text) }
    const pair = await new Pair().open({ transport: 'unix', settings })
    await pair.pace(100_000, 100)
    const sorted = await pair.pace(200_000, 100)
    const cells = sorted.map(ms => ms.toFixed(2).padStart(8))
    io.print(`  ${text.padStart(14)}  ${cells.join(' ')}`)
    pair.close()
  }
}

export const bench = defineBench({
  name: 'shuffle',
  summary: 'keyBy between two processes against lines of JSON, and its latency',
  async run(io: BenchIo) {
    const wanted = io.option('transport', 'unix,tcp').split(',')
    const transports = (['unix', 'tcp'] as const).filter(one => wanted.includes(one))
    await throughput(io, transports)
    if (io.option('latency', 'yes') !== 'no') await latency(io)
  },
})
