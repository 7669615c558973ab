/**
 * A job on a real node by force: with `--long` everything that may happen to it, twice, in an order
 * that `WEIR_TEST_SEED` draws. Without it `kubernetes-upgrades.test.ts` does a slice.
 */
import { expect, test } from '@jest/globals'
import { SeededRandom } from '../../src/common/random.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { bankFaults } from './kubernetes/bank-faults.ts'
import { bankSuite } from './kubernetes/bank-suite.ts'

const seed = Number(process.env.WEIR_TEST_SEED ?? 1)
const names = Object.keys(bankFaults)

function orderOf(drawnBy: number): readonly string[] {
  const random = new SeededRandom(drawnBy)
  return [...names, ...names]
    .map(name => ({ name, place: random.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ name }) => name)
}

test('each fault comes twice, and a seed has one order', () => {
  expect(orderOf(1)).toEqual(orderOf(1))
  expect(orderOf(1)).not.toEqual(orderOf(2))
  expect(orderOf(1).toSorted()).toEqual([...names, ...names].toSorted())
})

if (process.env.WEIR_TEST_LONG === '1') {
  await describeWithPart('a real node by force', ['kube', 's3'], environment =>
    bankSuite(environment, {
      tag: 'force',
      transfers: 600_000,
      faults: orderOf(seed),
      snapshotStep: 1,
      endLimitMs: 1_800_000,
    }),
  )
}
