/** The tests of one bank job on a real node: what is done to it, and what has to hold at its end. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { assertDefined } from '../../../src/common/assert.ts'
import type { PartEnvironment } from '../../testbed/part.ts'
import { bankFaults } from './bank-faults.ts'
import { BankTrial } from './bank-trial.ts'
import { KubernetesRig } from './kubernetes-rig.ts'

export interface BankSuite {
  /** Of the image. */
  readonly tag: string
  readonly transfers: number
  /** Names of `bankFaults`, in their order. */
  readonly faults: readonly string[]
  /** Every so many snapshots are looked at. */
  readonly snapshotStep: number
  readonly endLimitMs: number
}

/** Within a `describe`. */
export function bankSuite(environment: PartEnvironment, suite: BankSuite): void {
  let rig: KubernetesRig
  let trial: BankTrial

  beforeAll(async () => {
    rig = await KubernetesRig.open(environment, suite.tag)
    trial = new BankTrial(rig, { transfers: suite.transfers, rate: 200 })
    await trial.begin()
  }, 600_000)
  afterAll(async () => {
    trial.watch.close()
    process.stdout.write(`  ${trial.figures.join('\n  ')}\n`)
    await rig.close()
  })

  test.each(suite.faults)(
    '%s',
    async fault => {
      await assertDefined(bankFaults[fault], `${fault} is a fault`)(trial)
      expect(trial.watch.wrong).toEqual([])
      process.stdout.write(`  ${fault}: it goes on\n`)
    },
    300_000,
  )

  test(
    'its output is right, and the money in its snapshots',
    async () => {
      const wrong = await trial.end()
      expect(wrong.slice(0, 10)).toEqual([])
      expect(await trial.wrongMoney(suite.snapshotStep)).toEqual([])
    },
    suite.endLimitMs,
  )

  test('nothing is left of it', async () => {
    expect(await trial.isGone()).toEqual([])
  })
}
