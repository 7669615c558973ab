/**
 * A job on a real node by force: with `--long` everything that may happen to it, twice, in an order
 * that `WEIR_TEST_SEED` draws. Without it `kubernetes-upgrades.test.ts` does a slice.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SeededRandom } from '../../src/common/random.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { bankFaults } from './kubernetes/bank-faults.ts'
import { BankTrial } from './kubernetes/bank-trial.ts'
import { KubernetesRig } from './kubernetes/kubernetes-rig.ts'

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
  await describeWithPart('a real node by force', ['kube', 's3'], environment => {
    let rig: KubernetesRig
    let trial: BankTrial

    beforeAll(async () => {
      rig = await KubernetesRig.open(environment, 'force')
      trial = new BankTrial(rig, { transfers: 600_000, rate: 200 })
      await trial.begin()
    }, 600_000)
    afterAll(async () => {
      trial.watch.close()
      process.stdout.write(`  ${trial.figures.join('\n  ')}\n`)
      await rig.close()
    })

    test.each(orderOf(seed))(
      '%s',
      async fault => {
        await bankFaults[fault]?.(trial)
        expect(trial.watch.wrong).toEqual([])
        process.stdout.write(`  ${fault}: it goes on\n`)
      },
      300_000,
    )

    test('its output is right, and the money in every snapshot', async () => {
      const wrong = await trial.end()
      expect(wrong.slice(0, 10)).toEqual([])
      expect(await trial.wrongMoney(1)).toEqual([])
    }, 1_800_000)

    test('nothing is left of it', async () => {
      expect(await trial.isGone()).toEqual([])
    })
  })
}
