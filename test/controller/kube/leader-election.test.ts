/** A candidate by a clock that stands still; `election.test.ts` has several on a real API server. */
import { expect, test } from '@jest/globals'
import { silentLogger } from '../../../src/common/logger.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import type { KubeClient } from '../../../src/controller/kube/kube-client.ts'
import { LeaderElection } from '../../../src/controller/kube/leader-election.ts'
import { type Lease, leaseTimes } from '../../../src/controller/kube/lease.ts'
import { resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

test('a lease that nobody renews is taken when it is free, not a turn later', async () => {
  const clock = new ManualClock()
  const held: Lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace: 'n', name: 'l', resourceVersion: '1' },
    spec: { holderIdentity: 'other', leaseDurationSeconds: 6 },
  }
  const looks: number[] = []
  const client = {
    kind: resourceKinds.lease,
    get: async () => {
      looks.push(clock.monotonic() - startMs)
      return held
    },
    replace: async (lease: Lease) => lease,
  } as unknown as KubeClient<Lease>
  const startMs = clock.monotonic()
  let ledMs: number | undefined
  const election = new LeaderElection({
    client,
    namespace: 'n',
    name: 'l',
    identity: 'me',
    times: leaseTimes,
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    onLeading: () => {
      ledMs ??= clock.monotonic() - startMs
    },
    onLost: () => {},
  })
  const ended = election.run()
  const settled = () => new Promise<void>(resolve => void setImmediate(resolve))
  for (let step = 0; step < 700 && ledMs === undefined; step++) {
    await settled()
    clock.advance(10)
  }
  expect(ledMs).toBeGreaterThan(6_000)
  expect(ledMs).toBeLessThanOrEqual(6_020)
  // In between it looks once a turn.
  expect(looks.length).toBeLessThanOrEqual(9)
  election.stop()
  await settled()
  clock.advance(leaseTimes.retryMs * 2)
  await ended
})
