import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, SystemClock } from '../../../src/common/clock.ts'
import { silentLogger } from '../../../src/common/logger.ts'
import { SystemRandom } from '../../../src/common/random.ts'
import type { JobGraph } from '../../../src/graph/job-graph.ts'
import {
  DataEndpoint,
  type DataEndpointOptions,
} from '../../../src/runtime/network/data-endpoint.ts'
import type { NetworkExchange } from '../../../src/runtime/network/network-exchange.ts'
import {
  defaultNetworkSettings,
  type NetworkSettings,
} from '../../../src/runtime/network/network-settings.ts'
import type { TlsSettings } from '../../../src/runtime/network/peer-socket.ts'

export interface SlotsOptions {
  readonly slots?: number
  readonly transport?: 'unix' | 'tcp'
  readonly graph: JobGraph
  readonly settings?: Partial<NetworkSettings>
  readonly clock?: Clock
  readonly tls?: TlsSettings
}

/** The data ports of some slots, all in this process, with the exchange of one attempt each. */
export class Slots {
  readonly endpoints: DataEndpoint[] = []
  exchanges: NetworkExchange[] = []
  readonly failures: (readonly [slot: number, error: unknown])[] = []
  readonly unheard: [slot: number, peer: number, silentMs: number][] = []
  /** Refused connections, as logged. */
  readonly warnings: string[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'weir-net-'))
  readonly #options: SlotsOptions

  private constructor(options: SlotsOptions) {
    this.#options = options
  }

  static async start(options: SlotsOptions): Promise<Slots> {
    const all = new Slots(options)
    for (let slot = 0; slot < (options.slots ?? 2); slot++) {
      all.endpoints.push(await DataEndpoint.listen(all.endpointOptions(slot)))
    }
    all.begin(0)
    return all
  }

  endpointOptions(slot: number): DataEndpointOptions {
    const isUnix = (this.#options.transport ?? 'unix') === 'unix'
    return {
      listen: isUnix ? `unix:${join(this.#folder, `${slot}.sock`)}` : 'tcp://127.0.0.1:0',
      identity: { jobId: 'job-1', slot, version: '1.2.3' },
      secret: 'the secret of the job',
      clock: this.#options.clock ?? new SystemClock(),
      tls: this.#options.tls,
      random: new SystemRandom(),
      logger: {
        ...silentLogger,
        warn: fields => void this.warnings.push(String(fields.err)),
      },
    }
  }

  /** A new attempt in all slots. */
  begin(generation: number, peers = this.endpoints.map(one => one.address)): void {
    this.exchanges = this.endpoints.map((endpoint, slot) =>
      endpoint.exchange({
        attempt: { generation, region: 0, attempt: 0 },
        peers,
        graph: this.#options.graph,
        settings: { ...defaultNetworkSettings, ...this.#options.settings },
        onFailure: error => this.failures.push([slot, error]),
        onUnheard: (peer, silentMs) => this.unheard.push([slot, peer, silentMs]),
      }),
    )
  }

  exchange(slot: number): NetworkExchange {
    const exchange = this.exchanges[slot]
    if (exchange === undefined) throw new Error(`no slot ${slot}`)
    return exchange
  }

  /** Waits until everything that was sent has arrived; what is in open frames is not sent. */
  async settle(): Promise<void> {
    // What arrives may be answered by credits, and these by frames: until nothing moves.
    for (let quiet = 0; quiet < 2; quiet++) {
      const sent = this.exchanges.map(exchange => exchange.metrics.bytesSent)
      await new Promise(setImmediate)
      const total = (name: 'bytesSent' | 'bytesReceived'): number =>
        this.exchanges.reduce((sum, exchange) => sum + exchange.metrics[name], 0)
      const moved = this.exchanges.some((one, slot) => one.metrics.bytesSent !== sent[slot])
      if (moved || total('bytesSent') !== total('bytesReceived')) quiet = -1
    }
  }

  /** Waits until the connection of a pair of slots is made and credits have come. */
  async connected(): Promise<void> {
    while (this.exchanges.every(exchange => exchange.metrics.bytesReceived === 0)) {
      await new Promise(setImmediate)
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.endpoints.map(endpoint => endpoint.close()))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
