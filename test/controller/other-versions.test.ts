/** A controller among CRDs and controllers of other versions, on a real API server. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Logger } from '../../src/common/logger.ts'
import { type CrdDocument, crdDocument } from '../../src/controller/crd/custom-resource.ts'
import { customResources } from '../../src/controller/crd/custom-resources.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import { statusPatch } from '../../src/controller/kube/status-patch.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { FakeLink, runningFacts } from './fake-link.ts'
import { KubeProxy } from './kube/kube-proxy.ts'
import { olderCrd } from './older-crd.ts'
import { runTestController } from './run-test-controller.ts'
import { connectTo, installCrds } from './test-cluster.ts'
import { PodTeller, type Watching, watcherOf } from './test-watch.ts'

await describeWithPart('controllers of other versions', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const jobs = cluster.client<StreamJobObject>(resourceKinds.streamJob)
  let namespace = ''
  let watching: Watching

  beforeAll(async () => {
    await installCrds(cluster)
    namespace = await cluster.namespace()
    await cluster.defaultAccount(namespace)
    watching = watcherOf(cluster, namespace)
  })
  afterAll(async () => {
    await watching.end()
    await cluster.close()
  })

  const create = (name: string) =>
    jobs.create({
      apiVersion: 'weir.dev/v1alpha1',
      kind: 'StreamJob',
      metadata: { namespace, name },
      spec: { job: { module: 'a.ts' }, checkpoint: { storage: 's3://bucket/prefix' } },
    })

  test('with CRDs of an older version none leads, and the probes say what is lost', async () => {
    const proxy = await KubeProxy.start(environment)
    const older = customResources
      .map(crdDocument)
      .filter(({ metadata }) => metadata.name.startsWith('streamjobs'))
      .map(crd => olderCrd(crd, ['status.upgrade', 'status.start']))
    proxy.rewrite = ({ path }, given) => crdIn(path, older) ?? given
    const closed = heard()
    const serving = Promise.withResolvers<string>()
    const running = runTestController({
      config: { namespace },
      connection: proxy.config,
      logger: closed.logger,
      onServing: serving.resolve,
    })
    const probes = await serving.promise
    await closed.said('does not lead')
    const ready = await fetch(`${probes}/readyz`)
    expect(ready.status).toBe(503)
    const text = await ready.text()
    for (const lost of ['streamjobs.weir.dev', 'status.start', 'status.upgrade', 'apply crds/']) {
      expect(text).toContain(lost)
    }
    expect(await (await fetch(`${probes}/metrics`)).text()).toContain(
      'weir_controller_crd_outdated{crd="streamjobs.weir.dev"} 1',
    )
    expect((await fetch(`${probes}/healthz`)).status).toBe(200)
    const made = await create('waits')
    proxy.rewrite = (_request, given) => given
    await closed.said('leads')
    const seen = watching.watch<StreamJobObject>(resourceKinds.streamJob)
    const begun = await seen.until(all =>
      all.find(one => one.metadata.name === 'waits' && one.status?.epoch === 1),
    )
    expect(begun.status?.start).toEqual({ from: 'manifest' })
    // Nothing was written while it could not be kept.
    expect(made.status).toBeUndefined()
    expect(await running.stop()).toBe(0)
    await proxy.close()
  })

  test('what a newer controller wrote is kept by an older one, and left to the newer', async () => {
    const proxy = await KubeProxy.start(environment)
    const link = new FakeLink()
    link.said.set('shared', runningFacts)
    const config = { namespace }
    const first = runTestController({ config, connection: proxy.config, link })
    await create('shared')
    const teller = new PodTeller(cluster, namespace)
    const seen = watching.watch<StreamJobObject>(resourceKinds.streamJob)
    const job = (is: (one: StreamJobObject) => boolean) =>
      seen.until(all => all.find(one => one.metadata.name === 'shared' && is(one)))
    const pods = watching.watch(resourceKinds.pod)
    await pods.until(all => {
      const count = all.filter(one => one.metadata.name.startsWith('shared-')).length
      return count === 2 || undefined
    })
    for (const name of ['shared-jm-1-1', 'shared-tm-1-0-1']) await teller.say(name, 'Running')
    const isReady = ({ status }: StreamJobObject) =>
      status?.conditions?.some(one => one.type === 'Ready' && one.status === 'True') === true
    const before = await job(isReady)
    expect(await first.stop()).toBe(0)
    // Fields and a condition that only the newer knows, under the same manager.
    const { status = {} } = before
    const condition = {
      type: 'Backpressured',
      status: 'True' as const,
      reason: 'High',
      message: 'the sink is slow',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const verdicts = [{ cause: 'a slow sink', evidence: 'busy', remedy: 'more slots' }]
    const conditions = [...(status.conditions ?? []), condition]
    const written = await jobs.applyStatus(
      statusPatch(before, { ...status, verdicts, conditions }) as never,
      { manager: 'weir-streamjob' },
    )
    const second = runTestController({ config, connection: proxy.config, link })
    link.said.set('shared', { ...runningFacts, restarts: 3 })
    const after = await job(one => one.status?.restarts?.count === 3)
    expect(after.metadata.resourceVersion).not.toBe(written.metadata.resourceVersion)
    expect(after.status?.verdicts).toEqual(verdicts)
    expect(after.status?.conditions).toContainEqual(condition)
    expect(await second.stop()).toBe(0)
    await proxy.close()
  })
})

/** In the place of the true one. */
function crdIn(path: string, crds: readonly CrdDocument[]): Buffer | undefined {
  const found = crds.find(({ metadata }) => path.endsWith(`/${metadata.name}`))
  return found && Buffer.from(JSON.stringify(found))
}

/** A log that can be waited for. */
function heard() {
  const all: string[] = []
  let wake = (): void => {}
  const note = (_fields: object, message: string): void => {
    all.push(message)
    wake()
  }
  const logger: Logger = { debug: note, info: note, warn: note, error: note, child: () => logger }
  const said = async (message: string): Promise<void> => {
    while (!all.includes(message)) await new Promise<void>(resolve => (wake = resolve))
  }
  return { logger, said }
}
