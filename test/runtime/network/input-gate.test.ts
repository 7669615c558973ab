import { expect, test } from '@jest/globals'
import { InputGate } from '../../../src/runtime/network/input-gate.ts'
import { LocalChannel } from '../../../src/runtime/network/local-channel.ts'

function gateOf(channels: number) {
  const ends = Array.from({ length: channels }, () => new LocalChannel())
  const gate = new InputGate(ends.map((channel, i) => ({ channel, input: i % 2 })))
  const send = (channel: number, checkpointId: number): void =>
    ends[channel]?.send({ kind: 'cancel-barrier', checkpointId })
  const poll = (): string | undefined => {
    const item = gate.poll()
    return item?.kind === 'cancel-barrier'
      ? `${gate.polledChannel}:${item.checkpointId}`
      : undefined
  }
  return { gate, send, poll }
}

test('channels take turns, one item each', () => {
  const { send, poll } = gateOf(3)
  for (const id of [1, 2, 3]) send(0, id)
  send(1, 1)
  send(2, 1)
  expect([poll(), poll(), poll(), poll(), poll(), poll()]).toEqual([
    '0:1',
    '1:1',
    '2:1',
    '0:2',
    '0:3',
    undefined,
  ])
})

test('a blocked channel is passed over until it is unblocked', () => {
  const { gate, send, poll } = gateOf(2)
  send(0, 1)
  send(1, 1)
  gate.block(0)
  expect([poll(), poll()]).toEqual(['1:1', undefined])
  gate.unblockAll()
  expect(poll()).toBe('0:1')
})

test('knows which input a channel feeds', () => {
  const { gate } = gateOf(3)
  expect([gate.inputOf(0), gate.inputOf(1), gate.inputOf(2)]).toEqual([0, 1, 0])
  expect([gate.channelsOf(0), gate.channelsOf(1)]).toEqual([2, 1])
})

test('hears of data on any channel', () => {
  const { gate, send } = gateOf(2)
  let heard = 0
  gate.listen({ whenData: () => heard++, whenPriority: () => {} })
  send(1, 1)
  send(0, 1)
  expect(heard).toBe(2)
})
