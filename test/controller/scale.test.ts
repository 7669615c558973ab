/**
 * What many jobs cost, in writes and passes: a small form of `./weir bench controller`, without a
 * clock. A controller that writes too often shows here first.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { FakeLink } from './fake-link.ts'
import { type Granted, grantRights } from './granted.ts'
import { metricSum, objectWrites, writeLines } from './metric-sum.ts'
import { type RunningController, runTestController } from './run-test-controller.ts'
import { connectTo, installCrds } from './test-cluster.ts'
import { type Watching, watcherOf } from './test-watch.ts'

const JOBS = 40
const SLOTS = 2

await describeWithPart('many jobs', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const jobs = cluster.client<StreamJobObject>(resourceKinds.streamJob)
  let namespace = ''
  let probes = ''
  let granted: Granted
  let watching: Watching
  let running: RunningController

  const start = (): Promise<string> =>
    new Promise(resolve => {
      // Tenants belong to no namespace: those of other tests are not to be counted here.
      running = runTestController({
        config: { namespace, grant: granted.grant },
        connection: granted.connection,
        link: new FakeLink(),
        onServing: resolve,
      })
    })

  beforeAll(async () => {
    await installCrds(cluster)
    namespace = await cluster.namespace()
    await cluster.defaultAccount(namespace)
    granted = await grantRights(cluster, namespace, environment)
    watching = watcherOf(cluster, namespace)
    probes = await start()
  })
  afterAll(async () => {
    expect(await running.stop()).toBe(0)
    await watching.end()
    await cluster.close()
  })

  const metrics = async (): Promise<string> => (await fetch(`${probes}/metrics`)).text()

  test('a deployed job costs its objects and two statuses, and a restart nothing', async () => {
    const pods = watching.watch<KubeObject>(resourceKinds.pod)
    const seen = watching.watch<StreamJobObject>(resourceKinds.streamJob)
    const numbers = Array.from({ length: JOBS }, (_, number) => number)
    await Promise.all(
      numbers.map(number =>
        jobs.create({
          apiVersion: 'weir.dev/v1alpha1',
          kind: 'StreamJob',
          metadata: { namespace, name: `job-${number}` },
          spec: {
            job: { module: 'src/examples/bank-transfers.ts' },
            checkpoint: { storage: 's3://bucket/prefix' },
            parallelism: SLOTS,
          },
        }),
      ),
    )
    await pods.until(all => (all.length === JOBS * (1 + SLOTS) ? true : undefined))
    await seen.until(all => {
      const settled = all.filter(one =>
        one.status?.conditions?.some(({ type }) => type === 'Scheduled'),
      )
      return settled.length === JOBS ? true : undefined
    })
    // Key, manifest, service, budget, policy; the epoch, and how it is; what conflicts is done again.
    const least = 5 + 1 + SLOTS + 2
    const each = objectWrites(await metrics()) / JOBS
    expect(each).toBeGreaterThanOrEqual(least)
    expect(each).toBeLessThanOrEqual(least + 3)

    const versions = () => seen.cache.all().map(one => one.metadata.resourceVersion)
    const before = versions()
    expect(await running.stop()).toBe(0)
    probes = await start()
    const passes = async () =>
      metricSum(await metrics(), 'weir_controller_reconcile_total', /controller="streamjob"/)
    while ((await passes()) < JOBS);
    expect(writeLines(await metrics())).toEqual([])
    expect(versions()).toEqual(before)
  })
})
