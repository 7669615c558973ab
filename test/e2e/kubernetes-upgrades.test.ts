/**
 * Upgrades and kills on a real node, with real pods: a slice of what `kubernetes-force.test.ts` does.
 * The code comes from a ConfigMap first, then from a bundle in a bucket.
 */
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { bankSuite } from './kubernetes/bank-suite.ts'

await describeWithPart('upgrades on a real node', ['kube', 's3'], environment =>
  bankSuite(environment, {
    tag: 'upgrades',
    transfers: 100_000,
    faults: [
      'a slot is killed',
      'other code and another parallelism',
      'an image that is not there',
    ],
    snapshotStep: 10,
    endLimitMs: 300_000,
  }),
)
