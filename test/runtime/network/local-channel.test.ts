import { describe, expect, test } from '@jest/globals'
import { LocalChannel, LocalExchange } from '../../../src/runtime/network/local-channel.ts'
import { RecordBatch, type StreamItem } from '../../../src/runtime/network/stream-item.ts'
import { channelContract, plainNumbers } from '../../contract/channel.ts'
import { edgeOf } from './edge-fixture.ts'

function batch(size: number): RecordBatch {
  return new RecordBatch(
    Array.from({ length: size * 2 }, (_, i) => i),
    size,
  )
}

function watched(capacity: number) {
  const log: string[] = []
  const channel = new LocalChannel(capacity)
  channel.listen({
    whenFull: () => log.push('full'),
    whenFree: () => log.push('free'),
    whenBarrierLeft: () => {},
  })
  channel.listen({ whenData: () => log.push('data'), whenPriority: () => log.push('priority') })
  return { channel, log }
}

function drain(channel: LocalChannel): StreamItem[] {
  const items: StreamItem[] = []
  for (let item = channel.poll(); item !== undefined; item = channel.poll()) items.push(item)
  return items
}

test('L1: items come out as they went in', () => {
  const { channel } = watched(100)
  const items: StreamItem[] = [
    batch(1),
    { kind: 'watermark', watermark: 4 },
    batch(2),
    { kind: 'end-of-data', drain: true },
  ]
  for (const item of items) channel.send(item)
  expect(drain(channel)).toEqual(items)
  expect(channel.isEmpty).toBe(true)
})

test('L2, L3: it is full from its capacity on and free below the half', () => {
  const { channel, log } = watched(10)
  channel.send(batch(4))
  channel.send(batch(4))
  expect(log).toEqual(['data'])
  channel.send(batch(4))
  channel.send(batch(4))
  expect(log).toEqual(['data', 'full'])
  channel.poll()
  channel.poll()
  expect(log).toEqual(['data', 'full'])
  channel.poll()
  expect(log).toEqual(['data', 'full', 'free'])
})

test('a flood of events fills it too', () => {
  const { channel, log } = watched(3)
  for (const checkpointId of [1, 2, 3]) channel.send({ kind: 'cancel-barrier', checkpointId })
  expect(log).toEqual(['data', 'full'])
})

test('the receiver hears of data only where there was none', () => {
  const { channel, log } = watched(100)
  channel.send(batch(1))
  channel.send(batch(1))
  drain(channel)
  channel.send(batch(1))
  expect(log).toEqual(['data', 'data'])
})

test('of two watermarks in a row the later one stays', () => {
  const { channel } = watched(100)
  channel.send({ kind: 'watermark', watermark: 1 })
  channel.send({ kind: 'watermark', watermark: 2 })
  channel.send(batch(1))
  channel.send({ kind: 'watermark', watermark: 3 })
  expect(drain(channel)).toEqual([
    { kind: 'watermark', watermark: 2 },
    batch(1),
    { kind: 'watermark', watermark: 3 },
  ])
})

test('an exchange gives both ends of one channel, whoever asks first', () => {
  const exchange = new LocalExchange(10)
  const edge = edgeOf({ kind: 'rebalance' })
  const input = exchange.input(edge, 0, 1)
  exchange.output(edge, 0, 1).send(batch(1))
  expect(input.isEmpty).toBe(false)
  expect(exchange.input(edge, 1, 0).isEmpty).toBe(true)
})

describe('as every channel', () => {
  channelContract(async () => {
    const channel = new LocalChannel(64)
    const close = async (): Promise<void> => {}
    const settle = async (): Promise<void> => {}
    return { output: channel, input: channel, settle, numbersOf: plainNumbers, close }
  })
})
