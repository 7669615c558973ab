/**
 * The channels of one attempt of a failover region between this slot and all others: within the
 * slot by hand-over, else by one connection for each direction between two slots.
 *
 * Owns        the connections of the attempt, the credits of each input, and the one timer that
 *             lets half-filled frames go.
 * Leaves out  dialing and listening (`data-endpoint.ts`).
 *
 * Invariants
 *  NE1  A failure is reported once, and never after `close`.
 *  NE2  A record waits in an open frame for at most `bufferTimeoutMs`.
 */
import type { Socket } from 'node:net'
import { assert, assertDefined } from '../../common/assert.ts'
import type { Clock, TimerHandle } from '../../common/clock.ts'
import type { JobEdge, JobGraph } from '../../graph/job-graph.ts'
import {
  compileFrameEncoder,
  type FrameEncoder,
  type FrameEncoderOptions,
} from '../../schema/frame-encoder.ts'
import { DEBLOAT_INTERVAL_MS } from './buffer-debloater.ts'
import type { Exchange, InputChannel, OutputChannel } from './channel.ts'
import { InputLine } from './input-line.ts'
import { LocalExchange } from './local-channel.ts'
import type { NetworkAttempt } from './network-attempt.ts'
import { type EdgeFigures, outputFigures } from './network-figures.ts'
import type { NetworkSettings } from './network-settings.ts'
import { type LineOptions, OutputLine } from './output-line.ts'
import { RemoteGate } from './remote-gate.ts'
import { RemoteOutput } from './remote-output.ts'
import type { Traffic } from './traffic.ts'
import { HEADER_BYTES } from './wire-format.ts'
import { wireOf } from './wire-of.ts'

export interface NetworkExchangeOptions {
  readonly slot: number
  readonly attempt: NetworkAttempt
  /** Addresses by slot. */
  readonly peers: readonly string[]
  readonly graph: JobGraph
  readonly settings: NetworkSettings
  readonly traffic: Traffic
  readonly clock: Clock
  /** Connects to a slot, its handshake included. */
  dial(slot: number): Promise<Socket>
  failed(error: unknown): void
  /** See `NetworkSettings.silenceMs`. */
  unheard(peer: number, silentMs: number): void
}

/** How many an idle connection gives before its silence is told. */
const SIGNS_OF_LIFE = 6

type MakeEncoder = (options: FrameEncoderOptions) => FrameEncoder<unknown>

export class NetworkExchange implements Exchange {
  readonly metrics: Traffic
  readonly #options: NetworkExchangeOptions
  readonly #local = new LocalExchange()
  readonly #indexes: ReadonlyMap<string, number>
  readonly #outputs = new Map<number, OutputLine>()
  readonly #inputs = new Map<number, InputLine>()
  readonly #gates = new Map<number, RemoteGate>()
  /** Compiled once an edge. */
  readonly #encoders = new Map<number, MakeEncoder>()
  #open: RemoteOutput[] = []
  #timer: TimerHandle | undefined
  #watching: TimerHandle | undefined
  #debloating: TimerHandle | undefined
  #closed = false
  readonly #flush = (): void => {
    this.#timer = undefined
    const open = this.#open
    this.#open = []
    for (const output of open) output.flush()
  }

  constructor(options: NetworkExchangeOptions) {
    this.#options = options
    this.metrics = options.traffic
    this.#indexes = new Map(options.graph.edges.map((edge, index) => [edge.id, index]))
    this.#watch()
    if (options.settings.debloat.enabled) this.#debloat()
  }

  get attempt(): NetworkAttempt {
    return this.#options.attempt
  }

  output(edge: JobEdge, from: number, to: number): OutputChannel {
    const { slot, settings } = this.#options
    assert(from === slot, `slot ${slot} sends for itself`)
    if (to === slot) return this.#local.output(edge, from, to)
    const index = this.#indexOf(edge)
    const line = this.#outputLine(to)
    let output = line.channel(index)
    if (output === undefined) {
      output = new RemoteOutput({
        edgeId: edge.id,
        channel: index,
        encoder: this.#makeEncoder(edge, index),
        sender: line,
        frameBytes: settings.frameBytes,
      })
      line.add(index, output)
    }
    return output
  }

  input(edge: JobEdge, from: number, to: number): InputChannel {
    const { slot } = this.#options
    assert(to === slot, `slot ${slot} receives for itself`)
    if (from === slot) return this.#local.input(edge, from, to)
    const index = this.#indexOf(edge)
    const line = this.#inputLine(from)
    return line.channel(index) ?? this.#gate(edge, index).connect(line)
  }

  /** Of each edge to or from another slot. */
  get edges(): readonly EdgeFigures[] {
    const figures: EdgeFigures[] = []
    for (const [edge, index] of this.#indexes) {
      const lines = [...this.#outputs.values()]
      const outputs = lines.flatMap(line => line.channel(index) ?? [])
      const output = outputs.length === 0 ? undefined : outputFigures(outputs)
      const input = this.#gates.get(index)?.figures
      if (input !== undefined || output !== undefined) figures.push({ edge, input, output })
    }
    return figures
  }

  /** A connection from a slot whose handshake is done; refused when there is one already. */
  accept(from: number, socket: Socket): void {
    const line = this.#inputLine(from)
    if (this.#closed || line.connection.isAttached) socket.destroy()
    else line.attach(socket)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#timer?.cancel()
    this.#watching?.cancel()
    this.#debloating?.cancel()
    this.#open = []
    for (const { connection } of this.#lines()) connection.close()
  }

  *#lines(): Iterable<OutputLine | InputLine> {
    yield* this.#outputs.values()
    yield* this.#inputs.values()
  }

  #indexOf(edge: JobEdge): number {
    return assertDefined(this.#indexes.get(edge.id), `edge ${edge.id} is of this job`)
  }

  #outputLine(to: number): OutputLine {
    let line = this.#outputs.get(to)
    if (line === undefined) {
      line = new OutputLine({
        ...this.#lineOptions(to),
        channelsMax: this.#indexes.size,
        opened: output => this.#opened(output),
      })
      this.#outputs.set(to, line)
      this.#dial(to, line)
    }
    return line
  }

  #dial(to: number, line: OutputLine): void {
    this.#options.dial(to).then(
      socket => line.attach(socket),
      (error: unknown) => this.#failed(error),
    )
  }

  #inputLine(from: number): InputLine {
    let line = this.#inputs.get(from)
    if (line === undefined) {
      line = new InputLine(this.#lineOptions(from))
      this.#inputs.set(from, line)
    }
    return line
  }

  #gate(edge: JobEdge, index: number): RemoteGate {
    let gate = this.#gates.get(index)
    if (gate === undefined) {
      gate = new RemoteGate(index, wireOf(edge).type, this.#options.settings)
      this.#gates.set(index, gate)
    }
    return gate
  }

  #makeEncoder(edge: JobEdge, index: number): FrameEncoder<unknown> {
    let make = this.#encoders.get(index)
    if (make === undefined) {
      make = compileFrameEncoder(wireOf(edge).type)
      this.#encoders.set(index, make)
    }
    const limitBytes = this.#options.settings.frameBytes - HEADER_BYTES
    return make({ limitBytes, headroomBytes: HEADER_BYTES })
  }

  #debloat(): void {
    const { clock } = this.#options
    const before = clock.monotonic()
    this.#debloating = clock.schedule(DEBLOAT_INTERVAL_MS, () => {
      for (const gate of this.#gates.values()) gate.sample(clock.monotonic() - before)
      if (!this.#closed) this.#debloat()
    })
  }

  /** NE2: one timer serves all channels. */
  #opened(output: RemoteOutput): void {
    this.#open.push(output)
    if (this.#open.length > 1 || this.#closed) return
    const { settings, graph, clock } = this.#options
    const bufferTimeoutMs = graph.bufferTimeoutMs ?? settings.bufferTimeoutMs
    if (bufferTimeoutMs === 0) queueMicrotask(this.#flush)
    else this.#timer = clock.schedule(bufferTimeoutMs, this.#flush)
  }

  #lineOptions(slot: number): LineOptions {
    const { peers, settings } = this.#options
    return {
      peer: `slot ${slot} (${peers[slot] ?? 'no address'})`,
      traffic: this.metrics,
      silenceMs: settings.silenceMs,
      failed: error => this.#failed(error),
      unheard: silentMs => {
        if (!this.#closed) this.#options.unheard(slot, silentMs)
      },
    }
  }

  /** Looks after all connections together. A late call means that this process could not hear. */
  #watch(): void {
    const { clock, settings } = this.#options
    const before = clock.monotonic()
    const intervalMs = settings.silenceMs / SIGNS_OF_LIFE
    this.#watching = clock.schedule(intervalMs, () => {
      const passedMs = clock.monotonic() - before
      const wasAwake = passedMs < intervalMs * 2
      for (const { connection } of this.#lines()) connection.tick(wasAwake ? passedMs : 0)
      if (!this.#closed) this.#watch()
    })
  }

  #failed(error: unknown): void {
    if (this.#closed) return
    void this.close()
    this.#options.failed(error)
  }
}
