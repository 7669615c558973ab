import { Duplex } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { AHEAD_BYTES, OutputLine } from '../../../src/runtime/network/output-line.ts'
import { RECORD_BYTES_MAX, RemoteOutput } from '../../../src/runtime/network/remote-output.ts'
import { RecordBatch } from '../../../src/runtime/network/stream-item.ts'
import { Traffic } from '../../../src/runtime/network/traffic.ts'
import {
  FLAG_PRIORITY,
  HEADER_BYTES,
  PAYLOAD_BYTES_MAX,
} from '../../../src/runtime/network/wire-format.ts'
import { makeFrameEncoder } from '../../../src/schema/frame-encoder.ts'
import { barrierOf } from '../../contract/channel.ts'
import { frameBytes, framesIn, HandPeer, textType } from './frames-fixture.ts'

const unaligned = { kind: 'unaligned' } as const

function makeLine(channels = 1, limitBytes = 1_000) {
  const failures: unknown[] = []
  const opened: RemoteOutput[] = []
  const line = new OutputLine({
    peer: 'slot 1',
    traffic: new Traffic(),
    silenceMs: 1_000,
    unheard: () => {},
    channelsMax: channels,
    opened: output => opened.push(output),
    failed: error => failures.push(error),
  })
  const outputs = Array.from({ length: channels }, (_, channel) => {
    const output = new RemoteOutput({
      edgeId: `edge ${channel}`,
      channel,
      encoder: makeFrameEncoder(textType, { limitBytes, headroomBytes: HEADER_BYTES }),
      sender: line,
      frameBytes: limitBytes + HEADER_BYTES,
    })
    line.add(channel, output)
    return output
  })
  return { line, outputs, output: outputs[0] as RemoteOutput, failures, opened }
}

function connected(channels = 1, limitBytes = 1_000) {
  const parts = makeLine(channels, limitBytes)
  const peer = new HandPeer()
  parts.line.attach(peer.stream)
  const grant = (channel: number, amount: number): Promise<void> =>
    peer.say(frameBytes({ kind: 'credit', channel, amount }))
  return { ...parts, peer, grant }
}

function batch(...texts: readonly string[]): RecordBatch {
  return new RecordBatch(
    texts.flatMap(text => [text, 0]),
    texts.length,
  )
}

test('RO2: nothing leaves without credit, and what leaves tells how much is left', async () => {
  const { output, peer, grant } = connected()
  for (let n = 0; n < 5; n++) output.send(batch('x'.repeat(800)))
  output.flush()
  expect(await peer.hear()).toEqual([])
  await grant(0, 2)
  expect((await peer.hear()).map(frame => frame.amount)).toEqual([4, 3])
  await grant(0, 100)
  expect((await peer.hear()).map(frame => frame.amount)).toEqual([2, 1, 0])
})

test('RO1: a record waits in its open frame until that is full, flushed or followed by an event', async () => {
  const { output, peer, grant, opened } = connected()
  await grant(0, 100)
  output.send(batch('a'))
  output.send(batch('b'))
  expect(opened).toEqual([output])
  expect(await peer.hear()).toEqual([])
  output.flush()
  expect((await peer.hear()).map(frame => frame.kind)).toEqual(['data'])
  output.send(batch('c'))
  expect(opened).toHaveLength(2)
  output.send({ kind: 'watermark', watermark: 1 })
  expect((await peer.hear()).map(frame => frame.kind)).toEqual(['data', 'watermark'])
  output.flush()
  expect(await peer.hear()).toEqual([])
  expect(() => {
    output.send({ kind: 'end-of-partition' })
    output.send(batch('d'))
  }).toThrow('RO1')
})

test('RO3: it is full when as much waits as it may hold, and free below the half', async () => {
  const { output, grant } = connected()
  const log: string[] = []
  output.listen({
    whenFull: () => log.push('full'),
    whenFree: () => log.push('free'),
    whenBarrierLeft: () => log.push('left'),
  })
  for (let n = 0; n < 5; n++) output.send(batch('x'.repeat(800)))
  expect(log).toEqual(['full'])
  await grant(0, 2)
  expect(log).toEqual(['full'])
  await grant(0, 1)
  expect(log).toEqual(['full', 'free'])
  output.send({ kind: 'barrier', barrier: barrierOf(1, { kind: 'aligned' }) })
  await grant(0, 9)
  expect(log).toEqual(['full', 'free', 'left'])
})

test('of two watermarks that wait in a row the later one stays', async () => {
  const { output, peer, grant } = connected()
  for (const watermark of [1, 2, 3]) output.send({ kind: 'watermark', watermark })
  await grant(0, 9)
  const frames = await peer.hear()
  expect(frames).toHaveLength(1)
  expect(frames[0]?.payload.readDoubleLE(0)).toBe(3)
})

test('a barrier that overtakes leaves first and needs no credit', async () => {
  const { output, peer, grant } = connected()
  output.send(batch('a'))
  output.send({ kind: 'watermark', watermark: 1 })
  output.send(batch('b'))
  const overtaken = output.overtake(barrierOf(1, unaligned))
  expect(overtaken.map(item => item.kind)).toEqual(['frame', 'watermark', 'frame'])
  const [barrier] = await peer.hear()
  expect([barrier?.kind, barrier?.flags]).toEqual(['barrier', FLAG_PRIORITY])
  await grant(0, 9)
  expect((await peer.hear()).map(frame => frame.kind)).toEqual(['data', 'watermark', 'data'])
})

test('a queue that never becomes empty keeps its order', async () => {
  const { output, peer, grant } = connected()
  await grant(0, 1)
  const seen: number[] = []
  for (let n = 0; n < 100; n++) {
    output.send({ kind: 'cancel-barrier', checkpointId: 2 * n })
    output.send({ kind: 'cancel-barrier', checkpointId: 2 * n + 1 })
    if (n % 2 === 0) await grant(0, 1)
    for (const { payload } of await peer.hear()) seen.push(payload.readDoubleLE(0))
  }
  await grant(0, 1_000)
  for (const { payload } of await peer.hear()) seen.push(payload.readDoubleLE(0))
  expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i))
})

test('no frame is larger than a frame may be, and a record that is leaves in pieces', async () => {
  const { output, peer, grant } = connected(1, PAYLOAD_BYTES_MAX)
  await grant(0, 100)
  output.send(batch('x'.repeat(100_000)))
  output.flush()
  const frames = await peer.hear()
  expect(frames.map(frame => frame.flags)).toEqual([1, 1, 1, 0])
  expect(Math.max(...frames.map(frame => frame.payload.length))).toBe(PAYLOAD_BYTES_MAX)
})

test('a record that nobody could hold is refused by name', () => {
  const { output } = connected()
  output.send(batch('x'.repeat(RECORD_BYTES_MAX)))
  expect(() => output.flush()).toThrow(
    /a record on edge 0 takes 671089\d\d bytes, at most 67108864/,
  )
})

/** A socket whose kernel takes nothing until it is told to. */
class StuckSocket extends Duplex {
  taken = Buffer.alloc(0)
  #go: (() => void) | undefined

  override _read(): void {}

  override _writev(
    chunks: readonly { chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#go = () => {
      this.taken = Buffer.concat([this.taken, ...chunks.map(({ chunk }) => chunk)])
      done()
    }
  }

  takeAll(): void {
    this.#go?.()
  }
}

test('OL1: little is given to the socket ahead, so that a barrier passes the rest', async () => {
  const { line, output } = makeLine(1, PAYLOAD_BYTES_MAX)
  const socket = new StuckSocket()
  line.attach(socket)
  socket.push(frameBytes({ kind: 'credit', amount: 100 }))
  await new Promise(setImmediate)
  for (let n = 0; n < 20; n++) output.send(batch('x'.repeat(30_000)))
  expect(socket.writableLength).toBeLessThan(AHEAD_BYTES + 32_768)
  output.overtake(barrierOf(1, unaligned))
  while (socket.writableLength > 0) {
    socket.takeAll()
    await new Promise(setImmediate)
  }
  const kinds = framesIn(socket.taken).map(frame => frame.kind)
  expect(kinds).toHaveLength(21)
  expect(kinds.indexOf('barrier')).toBeLessThanOrEqual(3)
})

test('OL2: channels take turns', async () => {
  const { line, outputs } = makeLine(3, PAYLOAD_BYTES_MAX)
  const socket = new StuckSocket()
  line.attach(socket)
  const credits = [0, 1, 2].map(channel => frameBytes({ kind: 'credit', channel, amount: 100 }))
  socket.push(Buffer.concat(credits))
  await new Promise(setImmediate)
  for (const output of outputs) {
    for (let n = 0; n < 5; n++) output.send(batch('x'.repeat(30_000)))
    output.flush()
  }
  while (socket.writableLength > 0) {
    socket.takeAll()
    await new Promise(setImmediate)
  }
  const channels = framesIn(socket.taken).map(frame => frame.channel)
  expect(channels).toHaveLength(15)
  // The first fills what may be ahead before the others have anything.
  const turns = channels.slice(channels.indexOf(1), channels.indexOf(1) + 5)
  expect(turns).toEqual([1, 2, 0, 1, 2])
})

describe('a receiver that does not keep the rules is cut off', () => {
  test.each([
    ['data', frameBytes({ kind: 'data' })],
    ['a credit for a channel that is none', frameBytes({ kind: 'credit', channel: 5, amount: 1 })],
    ['bytes that are no frame', Buffer.alloc(20)],
  ])('%s', async (_name, bytes) => {
    const { peer, failures } = connected()
    await peer.say(bytes)
    await peer.end()
    expect(failures).toHaveLength(1)
    expect(String(failures[0])).toMatch(/^WEIR_PEER_LOST.*slot 1 broke: malformed frame/)
  })
})

test('after its last word a sender reads on until the receiver goes', async () => {
  const { output, peer, grant, line, failures } = connected()
  output.send({ kind: 'end-of-partition' })
  await grant(0, 1)
  line.connection.close()
  expect((await peer.hear()).map(frame => frame.kind)).toEqual(['end-of-partition'])
  expect([peer.stream.writableEnded, peer.stream.destroyed]).toEqual([true, false])
  await grant(0, 1)
  await peer.end()
  expect(peer.stream.destroyed).toBe(true)
  expect(failures).toEqual([])
})
