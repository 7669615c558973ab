/**
 * Upgrades and kills on a real node, with real pods: a slice of what `kubernetes-force.test.ts` does.
 * The code comes from a ConfigMap first, then from a bundle in a bucket.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { bankFaults } from './kubernetes/bank-faults.ts'
import { BankTrial } from './kubernetes/bank-trial.ts'
import { KubernetesRig } from './kubernetes/kubernetes-rig.ts'

const slice = [
  'a slot is killed',
  'other code and another parallelism',
  'an image that is not there',
] as const

await describeWithPart('upgrades on a real node', ['kube', 's3'], environment => {
  let rig: KubernetesRig
  let trial: BankTrial

  beforeAll(async () => {
    rig = await KubernetesRig.open(environment, 'upgrades')
    trial = new BankTrial(rig, { transfers: 100_000, rate: 200 })
    await trial.begin()
  }, 600_000)
  afterAll(async () => {
    trial.watch.close()
    process.stdout.write(`  ${trial.figures.join('\n  ')}\n`)
    await rig.close()
  })

  test.each(slice)(
    '%s',
    async fault => {
      await bankFaults[fault]?.(trial)
      expect(trial.watch.wrong).toEqual([])
    },
    300_000,
  )

  test('its output is right, and the money in its snapshots', async () => {
    const wrong = await trial.end()
    expect(wrong.slice(0, 10)).toEqual([])
    expect(await trial.wrongMoney(10)).toEqual([])
  }, 300_000)

  test('nothing is left of it', async () => {
    expect(await trial.isGone()).toEqual([])
  })
})
