import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SystemClock } from '../../../src/common/clock.ts'
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

export interface SlotsOptions {
  readonly slots?: number
  readonly transport?: 'unix' | 'tcp'
  readonly graph: JobGraph
  readonly settings?: Partial<NetworkSettings>
}

/** The data ports of some slots, all in this process, with the exchange of one attempt each. */
export class Slots {
  readonly endpoints: DataEndpoint[] = []
  exchanges: NetworkExchange[] = []
  readonly failures: (readonly [slot: number, error: unknown])[] = []
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
      clock: new SystemClock(),
      random: new SystemRandom(),
      logger: silentLogger,
    }
  }

  /** A new attempt in all slots. */
  begin(generation: number): void {
    this.exchanges = this.endpoints.map((endpoint, slot) =>
      endpoint.exchange({
        generation,
        peers: this.endpoints.map(one => one.address),
        graph: this.#options.graph,
        settings: { ...defaultNetworkSettings, ...this.#options.settings },
        onFailure: error => this.failures.push([slot, error]),
      }),
    )
  }

  exchange(slot: number): NetworkExchange {
    const exchange = this.exchanges[slot]
    if (exchange === undefined) throw new Error(`no slot ${slot}`)
    return exchange
  }

  async stop(): Promise<void> {
    await Promise.all(this.endpoints.map(endpoint => endpoint.close()))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
