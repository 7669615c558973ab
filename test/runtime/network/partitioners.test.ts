import { expect, test } from '@jest/globals'
import type { Partitioner } from '../../../src/api/transformation.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import {
  type ChannelSelector,
  makeChannelSelector,
} from '../../../src/runtime/network/partitioners.ts'
import { keyGroupOf, subtaskOfKeyGroup } from '../../../src/state/key-groups.ts'

function selectorOf(partitioner: Partitioner, channels: number): ChannelSelector | undefined {
  return makeChannelSelector({
    partitioner,
    channels,
    subtaskIndex: 0,
    maxParallelism: 128,
    random: new SeededRandom(1),
    fail: error => {
      throw error
    },
  })
}

test.each(['key', 'rebalance', 'rescale', 'shuffle', 'forward', 'global'] as const)(
  'a single channel needs no choice: %s',
  kind => {
    const selector = (): number => {
      throw new Error('no key is computed')
    }
    expect(selectorOf({ kind, selector } as Partitioner, 1)).toBeUndefined()
  },
)

test('whole numbers take the short way to the same channel', () => {
  const select = selectorOf({ kind: 'key', selector: value => value as number }, 4)
  for (const key of [0, -0, 1, -1, 7, 2 ** 31 - 1, -(2 ** 31)]) {
    expect(select?.(key)).toBe(subtaskOfKeyGroup(keyGroupOf(key | 0, 128), 128, 4))
  }
})

test('each edge has a position of its own', () => {
  const [a, b] = [selectorOf({ kind: 'rebalance' }, 2), selectorOf({ kind: 'rebalance' }, 2)]
  expect([a?.(0), a?.(0), b?.(0), a?.(0)]).toEqual([0, 1, 0, 0])
})
