import { connect } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { isWeirError } from '../../../src/common/errors.ts'
import type { JobEdge, JobGraph } from '../../../src/graph/job-graph.ts'
import { DataEndpoint } from '../../../src/runtime/network/data-endpoint.ts'
import { defaultNetworkSettings } from '../../../src/runtime/network/network-settings.ts'
import { parsePeerAddress } from '../../../src/runtime/network/peer-address.ts'
import { RecordBatch } from '../../../src/runtime/network/stream-item.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { edgeOf } from './edge-fixture.ts'
import { Relay } from './relay-fixture.ts'
import { Slots, type SlotsOptions } from './slots-fixture.ts'
import { ownTls } from './tls-fixture.ts'

const edge: JobEdge = edgeOf({ kind: 'rebalance' })
const graph = { edges: [edge] } as unknown as JobGraph

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(options: Partial<SlotsOptions> = {}): Promise<Slots> {
  const slots = await Slots.start({ graph, ...options })
  closing.push(() => slots.stop())
  return slots
}

function codesOf(slots: Slots): string[] {
  return slots.failures
    .map(([slot, error]) => `${slot} ${isWeirError(error) ? error.code : String(error)}`)
    .sort()
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise(setImmediate)
}

describe('attempts', () => {
  test('DE1: a peer that is ahead waits until this slot is told', async () => {
    const slots = await start()
    const [a, b] = slots.endpoints
    const peers = slots.endpoints.map(one => one.address)
    const failures: unknown[] = []
    const options = {
      attempt: { generation: 1, region: 0, attempt: 0 },
      peers,
      graph,
      settings: defaultNetworkSettings,
      onFailure: (error: unknown) => failures.push(error),
      onUnheard: () => {},
    }
    const output = a?.exchange(options).output(edge, 0, 1)
    output?.send({ kind: 'watermark', watermark: 5 })
    // Not known there: neither refused nor answered.
    for (let i = 0; i < 50; i++) await new Promise(setImmediate)
    const input = b?.exchange(options).input(edge, 0, 1)
    await until(() => input?.isEmpty === false)
    expect(input?.poll()).toEqual({ kind: 'watermark', watermark: 5 })
    expect(failures).toEqual([])
  })

  test('DE1: a peer that is behind is refused, and so is one that waited too long', async () => {
    const clock = new ManualClock()
    const slots = await start({ clock })
    const [a, b] = slots.endpoints
    const peers = slots.endpoints.map(one => one.address)
    const errors: unknown[] = []
    const begin = (endpoint: DataEndpoint | undefined, generation: number) =>
      endpoint?.exchange({
        attempt: { generation, region: 0, attempt: 0 },
        peers,
        graph,
        settings: defaultNetworkSettings,
        onFailure: error => errors.push(error),
        onUnheard: () => {},
      })
    begin(b, 7)
    begin(a, 6)?.output(edge, 0, 1)
    await until(() => errors.length === 1)
    expect(String(errors[0])).toMatch(
      /WEIR_PEER_OF_OTHER_ATTEMPT {2}slot 1 .* is at attempt 7\.0, this is attempt 6\.0/,
    )
    begin(a, 8)?.output(edge, 0, 1)
    for (let i = 0; i < 50; i++) await new Promise(setImmediate)
    clock.advance(30_000)
    await until(() => errors.length === 2)
    expect(String(errors[1])).toMatch(/is at attempt 7\.0, this is attempt 8\.0/)
  })

  test('DE1, DE2: a region starts again beside another one, and its past is refused', async () => {
    const slots = await start()
    const [a, b] = slots.endpoints
    const errors: unknown[] = []
    const open = (endpoint: DataEndpoint | undefined, region: number, attempt: number) =>
      (endpoint as DataEndpoint).exchange({
        attempt: { generation: 1, region, attempt },
        peers: slots.endpoints.map(one => one.address),
        graph,
        settings: defaultNetworkSettings,
        onFailure: error => errors.push(error),
        onUnheard: () => {},
      })
    const input = open(b, 0, 0).input(edge, 0, 1)
    const output = open(a, 0, 0).output(edge, 0, 1)
    const before = open(a, 1, 0).output(edge, 0, 1)
    open(b, 1, 1)
    await until(() => errors.length === 1)
    expect(String(errors[0])).toMatch(/is at attempt 1\.1, this is attempt 1\.0/)
    before.send({ kind: 'watermark', watermark: 1 })
    // The other region's channel goes on, and carries nothing of it.
    output.send({ kind: 'watermark', watermark: 2 })
    await until(() => !input.isEmpty)
    expect(input.poll()).toEqual({ kind: 'watermark', watermark: 2 })
    expect(b?.figures.edges).toHaveLength(1)
    open(b, 0, 1)
    expect(() => open(b, 0, 0)).toThrow('DE2')
    expect(errors).toHaveLength(1)
  })

  test('DE2: the channels of an older attempt end, and nobody calls that a failure', async () => {
    const slots = await start()
    const [a, b] = slots.exchanges
    a?.output(edge, 0, 1)
    b?.input(edge, 0, 1)
    await slots.connected()
    slots.begin(1)
    const output = slots.exchange(0).output(edge, 0, 1)
    const input = slots.exchange(1).input(edge, 0, 1)
    output.send({ kind: 'watermark', watermark: 1 })
    await until(() => !input.isEmpty)
    expect(slots.failures).toEqual([])
    const attempt = { generation: 1, region: 0, attempt: 0 }
    expect(() => slots.endpoints[0]?.exchange({ attempt } as never)).toThrow('DE2')
  })
})

describe('what fails is reported once, with the peer', () => {
  test.each(['unix', 'tcp'] as const)('NE1: a peer that is gone, over %s', async transport => {
    const slots = await start({ transport })
    slots
      .exchange(0)
      .output(edge, 0, 1)
      .send(new RecordBatch(['x', 0], 1))
    slots.exchange(1).input(edge, 0, 1)
    await slots.connected()
    const address = slots.endpoints[1]?.address
    await slots.endpoints[1]?.close()
    await until(() => slots.failures.length > 0)
    expect(codesOf(slots)).toEqual(['0 WEIR_PEER_LOST'])
    expect(String(slots.failures[0]?.[1])).toContain(`slot 1 (${address})`)
  })

  test('nobody listens there', async () => {
    const slots = await start()
    await slots.endpoints[1]?.close()
    slots.exchange(0).output(edge, 0, 1)
    await until(() => slots.failures.length > 0)
    expect(codesOf(slots)).toEqual(['0 WEIR_PEER_UNREACHABLE'])
  })

  test('the receiver loses its sender before the end', async () => {
    const slots = await start()
    slots.exchange(0).output(edge, 0, 1)
    slots.exchange(1).input(edge, 0, 1)
    await slots.connected()
    await slots.endpoints[0]?.close()
    await until(() => slots.failures.length > 0)
    expect(codesOf(slots)).toEqual(['1 WEIR_PEER_LOST'])
  })

  test('after the end of the partition a connection may close', async () => {
    const slots = await start()
    const output = slots.exchange(0).output(edge, 0, 1)
    const input = slots.exchange(1).input(edge, 0, 1)
    output.send(new RecordBatch(['x', 0], 1))
    output.send({ kind: 'end-of-partition' })
    // Right after the last word was given to the kernel.
    await slots.connected()
    await slots.endpoints[0]?.close()
    await until(() => !input.isEmpty)
    expect(input.poll()?.kind).toBe('records')
    expect(input.poll()?.kind).toBe('end-of-partition')
    await slots.endpoints[1]?.close()
    expect(slots.failures).toEqual([])
  })

  test('DE3: close is no failure, and frees the address', async () => {
    const slots = await start()
    slots.exchange(0).output(edge, 0, 1)
    slots.exchange(1).input(edge, 0, 1)
    await slots.connected()
    const options = slots.endpointOptions(0)
    await Promise.all(slots.endpoints.map(one => one.close()))
    expect(slots.failures).toEqual([])
    const again = await DataEndpoint.listen(options)
    await again.close()
  })
})

/** Slot 0 sends to slot 1 through a relay. */
async function relayed(options: Partial<SlotsOptions> = {}) {
  const slots = await start({ transport: 'tcp', ...options })
  const [a, b] = slots.endpoints
  const relay = await Relay.before(b?.address ?? '')
  closing.push(() => relay.close())
  const peers = [a?.address ?? '', relay.address]
  slots.begin(1, peers)
  const output = slots.exchange(0).output(edge, 0, 1)
  const input = slots.exchange(1).input(edge, 0, 1)
  await slots.connected()
  return { slots, relay, output, input }
}

describe('a connection that is', () => {
  test('cut fails both slots, each once', async () => {
    const { slots, relay } = await relayed()
    relay.cut()
    await until(() => slots.failures.length === 2)
    expect(codesOf(slots)).toEqual(['0 WEIR_PEER_LOST', '1 WEIR_PEER_LOST'])
    for (let i = 0; i < 10; i++) await new Promise(setImmediate)
    expect(slots.failures).toHaveLength(2)
  })

  test('spoiled fails both slots, and the receiver says why', async () => {
    const { slots, relay, output } = await relayed()
    relay.spoil = chunk => Buffer.alloc(chunk.length, 0xff)
    output.send({ kind: 'watermark', watermark: 1 })
    await until(() => slots.failures.length === 2)
    expect(codesOf(slots)).toEqual(['0 WEIR_PEER_LOST', '1 WEIR_PEER_LOST'])
    const receiver = slots.failures.find(([slot]) => slot === 1)?.[1]
    expect(String(receiver)).toContain('malformed frame: 4294967295 bytes')
  })
})

/** A clock of a process that was stopped for a while. */
class LateClock extends ManualClock {
  lateMs = 0

  override monotonic(): number {
    return super.monotonic() + this.lateMs
  }
}

describe('a connection without traffic', () => {
  test('PN3: lives as long as both ends do', async () => {
    const clock = new ManualClock()
    const { slots, output, input } = await relayed({ clock })
    for (let i = 0; i < 20; i++) {
      clock.advance(500)
      await slots.settle()
    }
    expect([slots.failures, slots.unheard]).toEqual([[], []])
    output.send({ kind: 'watermark', watermark: 1 })
    await until(() => !input.isEmpty)
  })

  test('PN3: both ends say when nothing comes through any more', async () => {
    const clock = new ManualClock()
    const { slots, relay } = await relayed({ clock })
    relay.isDeaf = true
    for (let i = 0; i < 8; i++) {
      clock.advance(500)
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    }
    expect(slots.unheard).toContainEqual([0, 1, 3_000])
    expect(slots.unheard).toContainEqual([1, 0, 3_000])
    expect(slots.failures).toEqual([])
  })

  test('PN3: is kept when this process could not listen', async () => {
    const clock = new LateClock()
    const { slots, relay } = await relayed({ clock })
    relay.isDeaf = true
    clock.lateMs = 60_000
    clock.advance(5_000)
    expect(slots.failures).toEqual([])
  })
})

describe('a connection that is encrypted', () => {
  test('carries records and their end', async () => {
    const slots = await start({ transport: 'tcp', tls: ownTls })
    const output = slots.exchange(0).output(edge, 0, 1)
    const input = slots.exchange(1).input(edge, 0, 1)
    output.send(new RecordBatch(['x', 0], 1))
    output.send({ kind: 'end-of-partition' })
    await slots.connected()
    await slots.endpoints[0]?.close()
    await until(() => !input.isEmpty)
    expect([input.poll()?.kind, input.poll()?.kind]).toEqual(['records', 'end-of-partition'])
    expect(slots.failures).toEqual([])
  })
})

describe('strangers', () => {
  async function knock(address: string, bytes: Buffer): Promise<Buffer> {
    const at = parsePeerAddress(address)
    if (at.kind !== 'tcp') throw new Error('over TCP')
    const socket = connect(at.port, at.host)
    closing.push(() => socket.destroy())
    const heard: Buffer[] = []
    socket.on('data', chunk => heard.push(chunk))
    socket.on('error', () => {})
    socket.write(bytes)
    await new Promise(resolve => socket.once('close', resolve))
    return Buffer.concat(heard)
  }

  test('who speaks something else is sent away without an answer, and harms nobody', async () => {
    const slots = await start({ transport: 'tcp' })
    const output = slots.exchange(0).output(edge, 0, 1)
    const input = slots.exchange(1).input(edge, 0, 1)
    const address = slots.endpoints[1]?.address ?? ''
    const heard = await knock(address, Buffer.from('GET / HTTP/1.1\r\nHost: weir\r\n\r\n'))
    expect(heard.length).toBe(0)
    output.send({ kind: 'watermark', watermark: 1 })
    await until(() => !input.isEmpty)
    expect(slots.failures).toEqual([])
  })

  test('a slot of another version is refused at both ends', async () => {
    const slots = await start()
    const options = slots.endpointOptions(2)
    const stranger = await DataEndpoint.listen({
      ...options,
      identity: { ...options.identity, version: '9.9.9' },
    })
    closing.push(() => stranger.close())
    const errors: unknown[] = []
    const exchange = stranger.exchange({
      attempt: { generation: 0, region: 0, attempt: 0 },
      peers: [...slots.endpoints.map(one => one.address), stranger.address],
      graph,
      settings: defaultNetworkSettings,
      onFailure: error => errors.push(error),
      onUnheard: () => {},
    })
    exchange.output(edge, 2, 1)
    await until(() => errors.length > 0 && slots.warnings.length > 0)
    expect(String(errors[0])).toContain('runs Weir 1.2.3, this is Weir 9.9.9')
    expect(slots.warnings.join()).toContain('runs Weir 9.9.9, this is Weir 1.2.3')
  })

  test('a process that has the address of another slot is refused', async () => {
    const slots = await start()
    slots.begin(1, slots.endpoints.map(one => one.address).reverse())
    slots.exchange(0).output(edge, 0, 1)
    await until(() => slots.failures.length > 0)
    expect(codesOf(slots)).toEqual(['0 WEIR_PEER_OF_OTHER_SLOT'])
  })
})

test('an address that is taken is named', async () => {
  const slots = await start({ transport: 'tcp' })
  const listen = slots.endpoints[0]?.address ?? ''
  const taken = DataEndpoint.listen({ ...slots.endpointOptions(0), listen })
  await expect(taken).rejects.toMatchObject({ code: 'WEIR_LISTEN_FAILED' })
})

test('what peers dial may differ from what is listened on', async () => {
  const slots = await start({ transport: 'tcp' })
  const endpoint = await DataEndpoint.listen({
    ...slots.endpointOptions(2),
    listen: 'tcp://0.0.0.0:0',
    advertise: 'tcp://pod-2.jobs:0',
  })
  closing.push(() => endpoint.close())
  expect(endpoint.address).toMatch(/^tcp:\/\/pod-2\.jobs:[1-9]\d+$/)
})
