/**
 * One of the two processes of the shuffle benchmark, told by its parent what to be. The sender
 * routes bids by key to two subtasks of the receiver; the receiver reads two fields of each.
 */
import { connect, createServer, type Socket } from 'node:net'
import { cpuUsage } from 'node:process'
import { createInterface } from 'node:readline'
import { SystemClock } from '../../src/common/clock.ts'
import { cloneFunction } from '../../src/common/clone-function.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { SystemRandom } from '../../src/common/random.ts'
import { NexmarkBid } from '../../src/connectors/nexmark/nexmark-events.ts'
import { NexmarkGenerator } from '../../src/connectors/nexmark/nexmark-generator.ts'
import type { JobEdge, JobGraph } from '../../src/graph/job-graph.ts'
import { DataEndpoint } from '../../src/runtime/network/data-endpoint.ts'
import { InputGate } from '../../src/runtime/network/input-gate.ts'
import type { NetworkSettings } from '../../src/runtime/network/network-settings.ts'
import { OutputRoom } from '../../src/runtime/network/output-room.ts'
import { parsePeerAddress } from '../../src/runtime/network/peer-address.ts'
import { ResultPartition } from '../../src/runtime/network/result-partition.ts'
import { type LoopHandle, SlotLoop } from '../../src/runtime/slot-loop.ts'
import type { Type } from '../../src/schema/type.ts'

export type Order =
  | { readonly kind: 'listen'; readonly slot: number; readonly listen: string }
  | {
      readonly kind: 'join'
      readonly peers: readonly string[]
      readonly settings: NetworkSettings
      /** Plain JSON lines over the same socket instead. */
      readonly lines: boolean
    }
  /** To both: so many bids; so many each millisecond, or as fast as they go. */
  | { readonly kind: 'run'; readonly count: number; readonly perMs: number | undefined }

export type Answer =
  | { readonly kind: 'ready'; readonly address: string }
  | { readonly kind: 'done'; readonly cpuMs: number; readonly sum: number; readonly count: number }
  | { readonly kind: 'latencies'; readonly sorted: readonly number[] }

/** How many bids are made beforehand. */
const POOL = 40_000
const PUSHES = 64

function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

function edge(index: number): JobEdge {
  return {
    id: `bids-${index}`,
    from: { vertexId: 'source', operatorId: 'source' },
    sideOutput: undefined,
    to: { vertexId: 'count', operatorId: 'count' },
    input: 0,
    forcedAlignment: undefined,
    partitioner: { kind: 'key', selector: bid => (bid as NexmarkBid).bidder },
    type: NexmarkBid as Type<unknown>,
  }
}

/** The two subtasks of the receiving vertex live in one slot here: each has an edge of its own. */
const edges = [edge(0), edge(1)]

interface Part {
  run(count: number, perMs: number | undefined): void
}

/** Reads two fields of each bid; cloned, so that each reader sees one shape. */
function makeReader(): (items: readonly unknown[], size: number) => number {
  return (items, size) => {
    let sum = 0
    for (let i = 0; i < size; i++) {
      const bid = items[i * 2] as NexmarkBid
      sum += bid.price + bid.channel.length
    }
    return sum
  }
}

class Sender implements Part {
  readonly nextTimer: number = Number.MAX_SAFE_INTEGER
  readonly #bids: readonly NexmarkBid[]
  readonly #partition: ResultPartition
  readonly #room: OutputRoom
  readonly #handle: LoopHandle
  #left = 0
  #at = 0
  #due = 0
  #perMs: number | undefined
  #startedAt = 0
  #cpu = cpuUsage()

  constructor(exchange: ReturnType<DataEndpoint['exchange']>, loop: SlotLoop) {
    const { bidAt } = new NexmarkGenerator(10_000)
    this.#bids = Array.from({ length: POOL }, (_, n) => bidAt(n + 300_000))
    this.#room = new OutputRoom(() => this.#handle.wake())
    this.#partition = new ResultPartition({
      partitioner: (edges[0] as JobEdge).partitioner,
      channels: edges.map(one => exchange.output(one, 0, 1)),
      room: this.#room,
      forcedAligned: false,
      subtaskIndex: 0,
      maxParallelism: 128,
      random: new SystemRandom(),
      fail: error => {
        throw error
      },
    })
    this.#handle = loop.add(this, 0)
  }

  run(count: number, perMs: number | undefined): void {
    this.#left = count
    this.#perMs = perMs
    this.#startedAt = nowMs()
    this.#due = 0
    this.#cpu = cpuUsage()
    this.#handle.wake()
  }

  turn(deadline: number): boolean {
    const { push } = this.#partition
    const bids = this.#bids
    // A paced sender gives what is due by now and is woken by the next millisecond.
    const budget =
      this.#perMs === undefined
        ? this.#left
        : Math.min(this.#left, (nowMs() - this.#startedAt) * this.#perMs - this.#due)
    let sent = 0
    while (sent < budget && this.#room.fullChannels === 0 && performance.now() < deadline) {
      for (let i = 0; i < PUSHES && sent < budget; i++) {
        const bid = bids[this.#at] as NexmarkBid
        this.#at = this.#at + 1 === POOL ? 0 : this.#at + 1
        push(bid, this.#perMs === undefined ? bid.dateTime : nowMs())
        sent++
      }
    }
    this.#left -= sent
    this.#due += sent
    this.#partition.flush()
    if (this.#left === 0 && this.#due > 0) this.#end()
    else if (this.#perMs !== undefined) setTimeout(() => this.#handle.wake(), 1)
    return this.#left > 0 && this.#room.fullChannels === 0 && this.#perMs === undefined
  }

  #end(): void {
    this.#partition.broadcast({ kind: 'watermark', watermark: this.#due })
    answer({ kind: 'done', cpuMs: cpuSince(this.#cpu), sum: 0, count: this.#due })
    this.#due = 0
  }
}

class Receiver implements Part {
  readonly nextTimer: number = Number.MAX_SAFE_INTEGER
  readonly #gate: InputGate
  readonly #read = cloneFunction(makeReader)()
  #ended = 0
  #sum = 0
  #count = 0
  #latencies: number[] | undefined
  #cpu = cpuUsage()

  constructor(exchange: ReturnType<DataEndpoint['exchange']>, loop: SlotLoop) {
    this.#gate = new InputGate(edges.map(one => ({ channel: exchange.input(one, 0, 1), input: 0 })))
    const handle = loop.add(this, 1)
    this.#gate.listen({ whenData: () => handle.wake(), whenPriority: () => handle.wake() })
    handle.wake()
  }

  run(_count: number, perMs: number | undefined): void {
    this.#ended = 0
    this.#sum = 0
    this.#count = 0
    this.#latencies = perMs === undefined ? undefined : []
    this.#cpu = cpuUsage()
  }

  turn(deadline: number): boolean {
    while (performance.now() < deadline) {
      const item = this.#gate.poll()
      if (item === undefined) return false
      if (item.kind === 'records') {
        this.#sum += this.#read(item.items, item.size)
        this.#count += item.size
        if (this.#latencies !== undefined) {
          const now = nowMs()
          for (let i = 0; i < item.size; i++) {
            this.#latencies.push(now - (item.items[i * 2 + 1] as number))
          }
        }
      } else if (item.kind === 'watermark' && ++this.#ended === edges.length) this.#end()
    }
    return true
  }

  #end(): void {
    const latencies = this.#latencies
    if (latencies !== undefined) {
      answer({ kind: 'latencies', sorted: percentiles(latencies) })
      return
    }
    answer({ kind: 'done', cpuMs: cpuSince(this.#cpu), sum: this.#sum, count: this.#count })
  }
}

/** p50, p99, p99.9 and the largest. */
function percentiles(values: number[]): number[] {
  const sorted = Float64Array.from(values).sort()
  return [0.5, 0.99, 0.999, 1].map(p => sorted[Math.ceil(p * sorted.length) - 1] ?? Number.NaN)
}

/** What a program without an engine would do: a line of JSON for each record. */
class LineSender implements Part {
  readonly #texts: readonly NexmarkBid[]
  readonly #socket: Socket

  constructor(address: string) {
    const { bidAt } = new NexmarkGenerator(10_000)
    this.#texts = Array.from({ length: POOL }, (_, n) => bidAt(n + 300_000))
    const at = parsePeerAddress(address)
    this.#socket = at.kind === 'unix' ? connect(at.path) : connect(at.port, at.host)
  }

  run(count: number): void {
    const cpu = cpuUsage()
    let sent = 0
    const go = (): void => {
      while (sent < count) {
        let text = ''
        for (let i = 0; i < 256 && sent < count; i++, sent++) {
          text += `${JSON.stringify(this.#texts[sent % POOL])}\n`
        }
        if (!this.#socket.write(text)) {
          this.#socket.once('drain', go)
          return
        }
      }
      this.#socket.write('\n')
      answer({ kind: 'done', cpuMs: cpuSince(cpu), sum: 0, count })
    }
    go()
  }
}

class LineReceiver implements Part {
  #cpu = cpuUsage()
  #sum = 0
  #count = 0

  run(): void {
    this.#cpu = cpuUsage()
    this.#sum = 0
    this.#count = 0
  }

  accept(socket: Socket): void {
    createInterface({ input: socket }).on('line', line => {
      if (line === '') {
        answer({ kind: 'done', cpuMs: cpuSince(this.#cpu), sum: this.#sum, count: this.#count })
        return
      }
      const bid = JSON.parse(line) as NexmarkBid
      this.#sum += bid.price + bid.channel.length
      this.#count++
    })
  }
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = cpuUsage(before)
  return (user + system) / 1_000
}

function answer(message: Answer): void {
  process.send?.(message)
}

let endpoint: DataEndpoint | undefined
let part: Part | undefined
let slot = 0
let address = ''

async function obey(order: Order): Promise<void> {
  switch (order.kind) {
    case 'listen':
      slot = order.slot
      endpoint = await DataEndpoint.listen({
        listen: order.listen,
        identity: { jobId: 'bench', slot, version: 'bench' },
        secret: 'no secret, only a benchmark',
        clock: new SystemClock(),
        random: new SystemRandom(),
        logger: silentLogger,
      })
      address = endpoint.address
      answer({ kind: 'ready', address })
      return
    case 'join':
      part = order.lines ? await joinLines(order.peers) : join(order)
      answer({ kind: 'ready', address })
      return
    case 'run':
      part?.run(order.count, order.perMs)
      answer({ kind: 'ready', address })
  }
}

function join(order: Extract<Order, { kind: 'join' }>): Part {
  const exchange = (endpoint as DataEndpoint).exchange({
    attempt: { generation: 1, region: 0, attempt: 0 },
    peers: order.peers,
    graph: { edges } as unknown as JobGraph,
    settings: order.settings,
    onFailure: error => {
      throw error
    },
    onUnheard: () => {},
  })
  const loop = SlotLoop.running(new SystemClock())
  return slot === 0 ? new Sender(exchange, loop) : new Receiver(exchange, loop)
}

/** The listener gives its address up to a plain server. */
async function joinLines(peers: readonly string[]): Promise<Part> {
  if (slot === 0) return new LineSender(peers[1] as string)
  const at = parsePeerAddress(address)
  await endpoint?.close()
  const receiver = new LineReceiver()
  const server = createServer(socket => receiver.accept(socket))
  await new Promise<void>(resolve => {
    if (at.kind === 'unix') server.listen(at.path, resolve)
    else server.listen(at.port, at.host, resolve)
  })
  return receiver
}

process.on('message', (order: Order) => {
  void obey(order)
})
process.on('disconnect', () => process.exit(0))
