import { describe, expect, test } from '@jest/globals'
import { CreditPool } from '../../../src/runtime/network/credit-pool.ts'
import { encodeEvent } from '../../../src/runtime/network/event-codec.ts'
import { InputLine } from '../../../src/runtime/network/input-line.ts'
import { RemoteInput } from '../../../src/runtime/network/remote-input.ts'
import { Traffic } from '../../../src/runtime/network/traffic.ts'
import { FLAG_MORE, FLAG_PRIORITY } from '../../../src/runtime/network/wire-format.ts'
import { makeFrameDecoder } from '../../../src/schema/frame-decoder.ts'
import { barrierOf } from '../../contract/channel.ts'
import { frameBytes, HandPeer, payloadOf, textsIn, textType } from './frames-fixture.ts'

const end = encodeEvent({ kind: 'end-of-partition' }, 0, 0)

async function start(options: { exclusive?: number; floating?: number } = {}) {
  const failures: unknown[] = []
  const line = new InputLine({
    peer: 'slot 1',
    traffic: new Traffic(),
    silenceMs: 1_000,
    failed: error => failures.push(error),
    unheard: () => {},
  })
  const pool = new CreditPool({ exclusive: 2, floating: 8, ...options })
  const account = pool.account(() => line.grant(0))
  const input = new RemoteInput({ decoder: makeFrameDecoder(textType), account, took: () => {} })
  line.add(0, input)
  account.open()
  const peer = new HandPeer()
  line.attach(peer.stream)
  const wakes: string[] = []
  input.listen({ whenData: () => wakes.push('data'), whenPriority: () => wakes.push('priority') })
  return { line, input, peer, failures, wakes }
}

async function creditsOf(peer: HandPeer): Promise<number[]> {
  const frames = await peer.hear()
  expect(frames.every(frame => frame.kind === 'credit')).toBe(true)
  return frames.map(frame => frame.amount)
}

test('the sender is told of its credits when it is connected', async () => {
  const { peer } = await start()
  expect(await creditsOf(peer)).toEqual([2])
})

test('records come out, and their credits go back', async () => {
  const { peer, input, wakes } = await start({ floating: 0 })
  await peer.hear()
  await peer.say(frameBytes({}, payloadOf('a', 'b')))
  expect(wakes).toEqual(['data'])
  expect(await creditsOf(peer)).toEqual([])
  const item = input.poll()
  expect(item?.kind === 'records' && textsIn(item)).toEqual(['a', 'b'])
  expect(item?.kind === 'records' && item.items[1]).toBe(7)
  expect(await creditsOf(peer)).toEqual([1])
})

test('what a channel holds is lent to it at once: its sender may go on', async () => {
  const { peer, input } = await start()
  await peer.hear()
  await peer.say(frameBytes({}, payloadOf('a')))
  expect(await creditsOf(peer)).toEqual([1])
  input.poll()
  expect([await creditsOf(peer), input.granted]).toEqual([[], 2])
})

test('IL2: more than half of what a sender may use is announced, whatever happens', async () => {
  const { peer, input } = await start()
  let credits = 0
  let waiting = 60
  let messages = 0
  const hear = async (): Promise<void> => {
    for (const amount of await creditsOf(peer)) {
      credits += amount
      messages++
    }
  }
  await hear()
  // A sender with a backlog that ends, and a task that takes in bursts.
  for (let round = 0; waiting > 0; round++) {
    expect(round).toBeLessThan(100)
    while (credits > 0 && waiting > 0) {
      credits--
      waiting--
      await peer.say(frameBytes({ amount: waiting }, payloadOf('x')))
      await hear()
      expect(credits * 2).toBeGreaterThanOrEqual(input.granted)
    }
    for (let i = 0; i < 1 + (round % 5); i++) input.poll()
    await hear()
    expect(credits * 2).toBeGreaterThanOrEqual(input.granted)
  }
  while (input.poll() !== undefined);
  await hear()
  expect(messages).toBeLessThan(30)
  expect(credits).toBeGreaterThanOrEqual(1)
})

test('IL2: a sender that used up what it was told of is told of the rest', async () => {
  const { peer, input } = await start()
  const say = (count: number, backlog: number): Promise<void> =>
    peer.say(...new Array<Buffer>(count).fill(frameBytes({ amount: backlog }, payloadOf('x'))))
  expect(await creditsOf(peer)).toEqual([2])
  await say(1, 20)
  expect(await creditsOf(peer)).toEqual([8])
  await say(3, 20)
  for (let i = 0; i < 4; i++) input.poll()
  expect(await creditsOf(peer)).toEqual([])
  await say(6, 0)
  expect((await creditsOf(peer)).length).toBeGreaterThan(0)
  while (input.poll() !== undefined);
  expect(input.granted).toBeGreaterThanOrEqual(2)
})

describe('IL1: a peer that does not keep the rules is cut off', () => {
  const cases: Record<string, readonly Buffer[]> = {
    'a channel that is none': [frameBytes({ channel: 9 }, payloadOf('x'))],
    'a credit where frames are due': [frameBytes({ kind: 'credit', amount: 1 })],
    'a frame without credit': [1, 2, 3].map(() => frameBytes({}, payloadOf('x'))),
    'an event of another size': [frameBytes({ kind: 'watermark' }, Buffer.alloc(7))],
    'an event within a record': [
      frameBytes({ flags: FLAG_MORE }, Buffer.alloc(100)),
      encodeEvent({ kind: 'watermark', watermark: 1 }, 0, 0),
    ],
    'data that overtakes': [frameBytes({ flags: FLAG_PRIORITY }, payloadOf('x'))],
    'an event that may not overtake': [
      encodeEvent({ kind: 'watermark', watermark: 1 }, 0, FLAG_PRIORITY),
    ],
    'bytes that are no frame': [Buffer.alloc(50)],
  }
  test.each(Object.entries(cases))('%s', async (_name, frames) => {
    const { peer, failures } = await start({ floating: 0 })
    await peer.say(...frames)
    expect(String(failures[0])).toMatch(/^WEIR_PEER_LOST.*malformed frame/)
    await peer.say(...frames)
    await peer.end()
    expect(failures).toHaveLength(1)
    expect(peer.stream.destroyed).toBe(true)
  })
})

test('what comes after the end is not taken, and harms nobody', async () => {
  const barrier = barrierOf(1, { kind: 'unaligned' })
  const priority = encodeEvent({ kind: 'barrier', barrier }, 0, FLAG_PRIORITY)
  for (const frame of [frameBytes({}, payloadOf('x')), priority]) {
    const { peer, input, failures } = await start()
    await peer.say(end, frame)
    expect([input.poll()?.kind, input.poll(), input.pollPriority()]).toEqual([
      'end-of-partition',
      undefined,
      undefined,
    ])
    await peer.end()
    expect([failures.length, peer.stream.destroyed]).toEqual([0, true])
  }
})

test('RI1: a record of many pieces holds no credit until it is whole', async () => {
  const { peer, input, wakes } = await start({ exclusive: 1, floating: 0 })
  const text = 'x'.repeat(10_000)
  const whole = payloadOf(text)
  for (let at = 0; at < whole.length; at += 100) {
    expect(await creditsOf(peer)).toEqual([1])
    expect(input.poll()).toBe(undefined)
    const more = at + 100 < whole.length
    await peer.say(frameBytes({ flags: more ? FLAG_MORE : 0 }, whole.subarray(at, at + 100)))
    expect(wakes).toEqual(more ? [] : ['data'])
  }
  expect(await creditsOf(peer)).toEqual([])
  const item = input.poll()
  expect(item?.kind === 'records' && textsIn(item)).toEqual([text])
  expect(await creditsOf(peer)).toEqual([1])
})

test('RI2: a barrier within a record waits for nothing, and the pieces before it are recorded', async () => {
  const { peer, input, wakes } = await start()
  const whole = payloadOf('a large record')
  const barrier = barrierOf(1, { kind: 'unaligned' })
  await peer.say(
    frameBytes({ flags: FLAG_MORE }, whole.subarray(0, 10)),
    encodeEvent({ kind: 'barrier', barrier }, 0, FLAG_PRIORITY),
    frameBytes({}, whole.subarray(10)),
  )
  expect(wakes).toEqual(['priority', 'data'])
  // The task polls before it looks for the barrier: it must not lose the piece.
  expect(input.poll()).toBe(undefined)
  expect(input.beginRecording(1)).toMatchObject([{ kind: 'frame', more: true }])
  expect(input.pollPriority()).toEqual({ barrier, announced: false })
  const item = input.poll()
  expect(item?.kind === 'records' && textsIn(item)).toEqual(['a large record'])
})

test('of two watermarks in a row the later one stays, and the other gives its credit back', async () => {
  const { peer, input } = await start()
  await peer.hear()
  await peer.say(...[1, 2, 3].map(watermark => encodeEvent({ kind: 'watermark', watermark }, 0, 0)))
  expect(input.poll()).toEqual({ kind: 'watermark', watermark: 3 })
  expect(input.poll()).toBe(undefined)
})

test('after the end of all partitions the sender may go', async () => {
  const { peer, input, failures } = await start()
  await peer.say(end)
  await peer.end()
  expect(input.poll()?.kind).toBe('end-of-partition')
  expect(failures).toEqual([])
})
