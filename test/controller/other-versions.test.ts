/** A controller among CRDs and controllers of other versions, on a real API server. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Logger } from '../../src/common/logger.ts'
import { type CrdDocument, crdDocument } from '../../src/controller/crd/custom-resource.ts'
import { customResources } from '../../src/controller/crd/custom-resources.ts'
import { streamJobCrd } from '../../src/controller/crd/stream-job-crd.ts'
import { addRule } from '../../src/controller/crd/structural-schema.ts'
import { finalizerPatch } from '../../src/controller/kube/finalizer.ts'
import type { KubeClient } from '../../src/controller/kube/kube-client.ts'
import { isKubeError } from '../../src/controller/kube/kube-errors.ts'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import { statusPatch } from '../../src/controller/kube/status-patch.ts'
import { writeStatus } from '../../src/controller/kube/write-status.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { FakeLink, runningFacts } from './fake-link.ts'
import { KubeProxy } from './kube/kube-proxy.ts'
import { olderCrd, partOf } from './older-crd.ts'
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

  // What an upgrade of the CRDs relies on: nothing is checked again that has not changed.
  test('what is stored, and CRDs would not take any more, is still written, held and let go', async () => {
    // A group of its own: other tests have jobs of the true one.
    const group = `${namespace}.weir.test`
    const crd = crdDocument(streamJobCrd)
    Object.assign(crd.spec, { group })
    Object.assign(crd.metadata, { name: `streamjobs.${group}`, annotations: {} })
    const crds = cluster.client<KubeObject>(resourceKinds.crd)
    await crds.apply(crd, { manager: 'weir-test' })
    const kind = { ...resourceKinds.streamJob, apiVersion: `${group}/v1alpha1` }
    const stricter = cluster.client<StreamJobObject>(kind)
    const wanted = {
      apiVersion: kind.apiVersion,
      kind: kind.kind,
      metadata: { namespace, name: 'old' },
      spec: {
        job: { module: 'a.ts', args: { from: 'here' } },
        checkpoint: { storage: 's3://bucket/prefix' },
      },
    }
    while (!(await isTaken(stricter, wanted))) await pause(20)
    const made = await stricter.create(wanted)

    Object.assign(partOf(crd, ['spec', 'job', 'module']), { minLength: 10 })
    const job = partOf(crd, ['spec', 'job'])
    addRule(job, '', { rule: "self.module != 'a.ts'", message: 'it is not taken any more' })
    delete job.properties?.args
    await crds.apply(crd, { manager: 'weir-test' })
    const another = { ...wanted, metadata: { namespace, name: 'new' } }
    while (await isTaken(stricter, another)) await pause(20)

    const held = await stricter.patch(made.metadata, finalizerPatch(made.metadata, 'add'))
    const status = { phase: 'Running', epoch: 1 }
    const write = { status, manager: 'weir-streamjob' }
    const written = await writeStatus(stricter, held, write)
    expect(written).toMatchObject({ spec: { job: { module: 'a.ts' } }, status })
    await stricter.remove(made.metadata, { uid: made.metadata.uid ?? '' })
    const left = await stricter.get(made.metadata)
    const { metadata = made.metadata } = left ?? {}
    await stricter.patch(metadata, finalizerPatch(metadata, 'remove'))
    expect(await stricter.get(made.metadata)).toBeUndefined()
    const { uid = '' } = (await crds.get(crd.metadata))?.metadata ?? {}
    await crds.remove(crd.metadata, { uid })
  })
})

/** Of a kind that is about to be served, or to become stricter. */
async function isTaken(client: KubeClient, object: KubeObject): Promise<boolean> {
  try {
    await client.tryCreate(object)
    return true
  } catch (error) {
    const isNo = ['WEIR_KUBE_INVALID', 'WEIR_KUBE_NOT_FOUND'] as const
    if (!isNo.some(code => isKubeError(error, code))) throw error
    return false
  }
}

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
