import { expect, test } from '@jest/globals'
import { outputFigures } from '../../../src/runtime/network/network-figures.ts'
import type { RemoteOutput } from '../../../src/runtime/network/remote-output.ts'

test('the channels of an edge are counted together', () => {
  const output = { queuedFrames: 2, queuedBytes: 300, capacityBytes: 200, credits: 1 }
  const outputs = [
    { ...output, isFull: true },
    { ...output, queuedBytes: 0, queuedFrames: 0, isFull: false },
  ] as RemoteOutput[]
  expect(outputFigures(outputs)).toEqual({
    queuedFrames: 2,
    queuedBytes: 300,
    credits: 2,
    usage: 0.75,
    fullChannels: 1,
  })
})
