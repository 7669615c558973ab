/** Controllers whose clocks are wrong by an hour, on a real API server whose clock is right. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Clock, SystemClock } from '../../src/common/clock.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { FakeLink, runningFacts } from './fake-link.ts'
import { KubeProxy } from './kube/kube-proxy.ts'
import { runTestController } from './run-test-controller.ts'
import { connectTo, installCrds } from './test-cluster.ts'
import { PodTeller, type Watching, watcherOf } from './test-watch.ts'

const HOUR_MS = 3_600_000

/** A machine that is `aheadMs` ahead. */
function wrongClock(aheadMs: number): Clock {
  const right = new SystemClock()
  return {
    now: () => right.now() + aheadMs,
    monotonic: () => right.monotonic(),
    schedule: (delayMs, callback) => right.schedule(delayMs, callback),
  }
}

await describeWithPart('a controller whose clock is wrong', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const jobs = cluster.client<StreamJobObject>(resourceKinds.streamJob)
  const pods = cluster.client<PodObject>(resourceKinds.pod)
  let watching: Watching | undefined

  beforeAll(() => installCrds(cluster))
  afterAll(async () => {
    await watching?.end()
    await cluster.close()
  })

  test.each([HOUR_MS, -HOUR_MS])(
    'by %d ms gives a deletion its time all the same',
    async aheadMs => {
      const namespace = await cluster.namespace()
      await cluster.defaultAccount(namespace)
      const watched = watcherOf(cluster, namespace)
      watching = watched
      const teller = new PodTeller(cluster, namespace)
      const seenPods = watched.watch<PodObject>(resourceKinds.pod)
      const seenJobs = watched.watch<StreamJobObject>(resourceKinds.streamJob)
      const link = new FakeLink()
      link.said.set('bank', runningFacts)
      const proxy = await KubeProxy.start(environment)
      let probes = ''
      const running = runTestController({
        config: { namespace },
        connection: proxy.config,
        link,
        host: { clock: wrongClock(aheadMs) },
        onServing: url => {
          probes = url
        },
      })
      const made = await jobs.create({
        apiVersion: 'weir.dev/v1alpha1',
        kind: 'StreamJob',
        metadata: { namespace, name: 'bank' },
        spec: {
          job: { module: 'a.ts' },
          checkpoint: { storage: 's3://bucket/prefix' },
          deletionPolicy: 'purge',
        },
      })
      const names = ['bank-jm-1-1', 'bank-tm-1-0-1']
      await seenPods.until(all => all.length === 2 || undefined)
      for (const name of names) await teller.say(name, 'Running')
      const ready = await seenJobs.until(all =>
        all.find(({ status }) =>
          status?.conditions?.some(one => one.type === 'Ready' && one.status === 'True'),
        ),
      )
      // Its times are those of the server.
      const bornMs = Date.parse(made.metadata.creationTimestamp ?? '')
      for (const { lastTransitionTime } of ready.status?.conditions ?? []) {
        expect(Math.abs(Date.parse(lastTransitionTime) - bornMs)).toBeLessThan(HOUR_MS / 2)
      }
      await jobs.remove(ready.metadata, { uid: ready.metadata.uid ?? '' })
      for (const name of names) {
        const uid = seenPods.cache.get(`${namespace}/${name}`)?.metadata.uid ?? ''
        await seenPods.until(all => {
          const found = all.find(one => one.metadata.name === name)
          return found === undefined || found.metadata.deletionTimestamp !== undefined || undefined
        })
        await pods.remove({ namespace, name }, { uid, graceSeconds: 0 })
      }
      // An hour ahead, the time of the purge would have been over, and the checkpoints left behind.
      const purge = await seenPods.until(all =>
        all.find(one => one.metadata.name.endsWith('-purge-1')),
      )
      await teller.say(purge.metadata.name, 'Succeeded', { code: 0 })
      await seenJobs.until(all => all.length === 0 || undefined)
      const metrics = await (await fetch(`${probes}/metrics`)).text()
      const [, seconds = ''] = /^weir_controller_clock_skew_seconds (\S+)$/m.exec(metrics) ?? []
      expect(Math.abs(Number(seconds) * 1_000 - aheadMs)).toBeLessThan(HOUR_MS / 2)
      expect(await running.stop()).toBe(0)
      await proxy.close()
      await watched.end()
    },
  )
})
