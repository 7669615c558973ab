/** Controllers that want to lead, each with its own connection to a real API server. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SystemClock } from '../../../src/common/clock.ts'
import { silentLogger } from '../../../src/common/logger.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import { KubeClient } from '../../../src/controller/kube/kube-client.ts'
import { LeaderElection } from '../../../src/controller/kube/leader-election.ts'
import { type Lease, leaseTimes } from '../../../src/controller/kube/lease.ts'
import { openTransport } from '../../../src/controller/kube/open-transport.ts'
import { resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { connectTo } from '../test-cluster.ts'
import { FastClock } from './fast-clock.ts'
import { KubeProxy } from './kube-proxy.ts'

await describeWithPart('leader election', 'kube-control', environment => {
  const cluster = connectTo(environment)
  let namespace = ''
  const ends: (() => Promise<void>)[] = []

  beforeAll(async () => {
    namespace = await cluster.namespace()
  })
  afterAll(async () => {
    for (const end of ends) await end()
    await cluster.close()
  })

  /** Who leads, in the order of their beginnings, and who is told that it no longer does. */
  const field = async (name: string, clock = new FastClock(10)) => {
    const proxies: KubeProxy[] = []
    const elections: LeaderElection[] = []
    const runs: Promise<void>[] = []
    const leaders: number[] = []
    const lost: number[] = []
    const rivals: number[] = []
    let onNext = (): void => {}
    let onLost = (): void => {}
    for (let index = 0; index < 3; index++) {
      const proxy = await KubeProxy.start(environment)
      const observe = (): void => {}
      const { config } = proxy
      const opened = openTransport({ config, clock: new SystemClock(), observe })
      const election = new LeaderElection({
        client: new KubeClient<Lease>(opened.transport, resourceKinds.lease),
        namespace,
        name,
        identity: `controller-${index}`,
        times: leaseTimes,
        clock,
        random: new SeededRandom(index),
        logger: silentLogger,
        onLeading: () => {
          leaders.push(index)
          rivals.push(elections.filter((one, at) => at !== index && mayWrite(one)).length)
          onNext()
        },
        onLost: () => {
          lost.push(index)
          onLost()
        },
      })
      proxies.push(proxy)
      elections.push(election)
      ends.push(async () => {
        election.stop()
        await opened.dispatcher.destroy()
        await proxy.close()
      })
    }
    const next = () => new Promise<void>(resolve => (onNext = resolve))
    const nextLost = () => new Promise<void>(resolve => (onLost = resolve))
    const first = next()
    for (const election of elections) runs.push(election.run())
    await first
    return { proxies, elections, leaders, lost, rivals, runs, next, nextLost }
  }

  test('L1: a leader that is cut off stops writing before another begins', async () => {
    const { proxies, elections, leaders, lost, rivals, next, nextLost } = await field('cut-off')
    for (let round = 0; round < 2; round++) {
      const leader = leaders.at(-1) ?? 0
      const told = nextLost()
      const successor = next()
      proxies[leader]?.down()
      await Promise.all([told, successor])
      expect(() => elections[leader]?.check()).toThrow('no longer holds the lease')
    }
    expect(new Set(leaders).size).toBe(3)
    expect(rivals).toEqual([0, 0, 0])
    expect(lost).toEqual(leaders.slice(0, 2))
  })

  test('L2: a leader that stops gives the lease up and never leads again', async () => {
    const { elections, leaders, rivals, runs, next, lost } = await field('released')
    const [first = 0] = leaders
    const successor = next()
    elections[first]?.stop()
    await runs[first]
    await successor
    const { spec } = (await cluster.client<Lease>(resourceKinds.lease).get({
      namespace,
      name: 'released',
    })) as Lease
    expect(spec?.holderIdentity).toBe(`controller-${leaders[1]}`)
    expect(spec?.leaseTransitions).toBe(1)
    expect([rivals, lost]).toEqual([[0, 0], []])
  })

  test('a lease whose renewals are written and not answered now and then is kept', async () => {
    // Two seconds to renew within: enough on a busy machine.
    const { proxies, elections, leaders, lost, nextLost } = await field('kept', new FastClock(2))
    const [leader = 0] = leaders
    let renewals = 0
    const renewed = new Promise<void>(resolve => {
      const proxy = proxies[leader]
      if (proxy === undefined) return
      proxy.fault = ({ method }) => {
        if (method !== 'PUT') return undefined
        if (++renewals === 12) resolve()
        if (renewals % 3 > 0) return undefined
        return renewals % 2 === 0 ? 'lost' : 'late-500'
      }
    })
    await Promise.race([renewed, nextLost()])
    expect(leaders).toEqual([leader])
    expect(lost).toEqual([])
    expect(elections[leader]?.leads).toBe(true)
  })
})

function mayWrite(election: LeaderElection): boolean {
  try {
    election.check()
    return true
  } catch {
    return false
  }
}
