import { expect, test } from '@jest/globals'
import { OutputRoom } from '../../../src/runtime/network/output-room.ts'

test('the room counts full channels and tells when the last one is free', () => {
  let freed = 0
  const room = new OutputRoom(() => freed++)
  room.whenFull()
  room.whenFull()
  room.whenFree()
  expect([room.fullChannels, freed]).toEqual([1, 0])
  room.whenFree()
  expect([room.fullChannels, freed]).toEqual([0, 1])
  expect(() => room.whenFree()).toThrow('L2')
})

test('a barrier that has left wakes the task too', () => {
  let woken = 0
  const room = new OutputRoom(() => woken++)
  room.whenBarrierLeft()
  expect([room.fullChannels, woken]).toEqual([0, 1])
})
