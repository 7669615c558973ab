/**
 * What people and clusters do wrong, on a real API server: each has a condition that says what is in
 * the way and what to do, and an event; nothing that somebody else has is touched.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { messageOf } from '../../src/common/errors.ts'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { FakeLink, runningFacts } from './fake-link.ts'
import { grantRights } from './granted.ts'
import { type RunningController, runTestController } from './run-test-controller.ts'
import { connectTo, installCrds, testKind } from './test-cluster.ts'
import { PodTeller, type Seen, type Watching, watcherOf } from './test-watch.ts'

interface EventObject extends KubeObject {
  readonly reason: string
  readonly note: string
  readonly regarding: { readonly name: string }
}

await describeWithPart('a controller and bad input', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const jobs = cluster.client<StreamJobObject>(resourceKinds.streamJob)
  const link = new FakeLink()
  let namespace = ''
  let running: RunningController
  let watching: Watching
  let teller: PodTeller
  let seenJobs: Seen<StreamJobObject>
  let seenPods: Seen<PodObject>
  let seenEvents: Seen<EventObject>

  beforeAll(async () => {
    await installCrds(cluster)
    namespace = await cluster.namespace({ 'pod-security.kubernetes.io/enforce': 'restricted' })
    await cluster.defaultAccount(namespace)
    const { grant, connection } = await grantRights(cluster, namespace, environment)
    watching = watcherOf(cluster, namespace)
    teller = new PodTeller(cluster, namespace)
    seenJobs = watching.watch<StreamJobObject>(resourceKinds.streamJob)
    seenPods = watching.watch<PodObject>(resourceKinds.pod)
    seenEvents = watching.watch<EventObject>(resourceKinds.event)
    running = runTestController({ config: { namespace, grant }, connection, link })
  })
  afterAll(async () => {
    expect(await running.stop()).toBe(0)
    await watching.end()
    await cluster.close()
  })

  const restrictedPod = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'a',
        image: 'b',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  }

  const right = {
    job: { module: 'src/examples/bank-transfers.ts' },
    checkpoint: { storage: 's3://bucket/prefix' },
  }

  const create = (name: string, spec: object = {}) =>
    jobs.create({
      apiVersion: 'weir.dev/v1alpha1',
      kind: 'StreamJob',
      metadata: { namespace, name },
      spec: { ...right, ...spec },
    })

  const apply = <T extends KubeObject>(object: T) =>
    cluster.client(testKind(object)).apply(object, { manager: 'person' })

  const remove = async (object: KubeObject): Promise<void> => {
    const { uid = '' } = object.metadata
    await cluster.client(testKind(object)).remove(object.metadata, { uid, graceSeconds: 0 })
  }

  const conditionOf = (object: StreamJobObject, type: string) =>
    object.status?.conditions?.find(one => one.type === type)

  /** The condition with this reason, once it is there. */
  const said = (name: string, type: string, reason: string) =>
    seenJobs.until(all => {
      const object = all.find(one => one.metadata.name === name)
      const found = object && conditionOf(object, type)
      return found?.reason === reason ? found : undefined
    })

  const told = (name: string, reason: string) =>
    seenEvents.until(all => all.find(one => one.regarding.name === name && one.reason === reason))

  const podsOf = (name: string, count: number) =>
    seenPods.until(all => {
      const names = all.map(one => one.metadata.name).filter(one => one.startsWith(`${name}-`))
      return names.length === count ? names.toSorted() : undefined
    })

  test('a ResourceQuota without room is named, and the job is taken up once there is', async () => {
    const quota = await apply({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { namespace, name: 'no-room' },
      spec: { hard: { 'requests.memory': '600Mi' } },
    } as KubeObject)
    // What it holds is known once a controller of Kubernetes has counted: here the test does.
    await cluster.transport.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/resourcequotas/no-room/status`,
      body: { status: { hard: { 'requests.memory': '600Mi' }, used: { 'requests.memory': '0' } } },
      contentType: 'application/merge-patch+json',
      resource: 'resourcequotas',
    })
    await create('crowded')
    const scheduled = await said('crowded', 'Scheduled', 'QuotaExceeded')
    expect(scheduled.message).toMatch(/pods "crowded-tm-1-0-1" .*exceeded quota: no-room/)
    expect(scheduled.message).toMatch(/requests.memory=1Gi.*raise that ResourceQuota/)
    expect(await said('crowded', 'Ready', 'QuotaExceeded')).toMatchObject({ status: 'False' })
    // It waits: nobody is needed to start it again.
    expect(await said('crowded', 'Reconciling', 'QuotaExceeded')).toMatchObject({ status: 'True' })
    expect((await told('crowded', 'QuotaExceeded')).note).toContain('no-room')
    await remove(quota)
    expect(await podsOf('crowded', 2)).toEqual(['crowded-jm-1-1', 'crowded-tm-1-0-1'])
    for (const pod of await podsOf('crowded', 2)) await teller.say(pod, 'Running')
    link.said.set('crowded', runningFacts)
    expect(await said('crowded', 'Ready', 'Running')).toMatchObject({ status: 'True' })
    expect(await said('crowded', 'Scheduled', 'PodsBound')).toMatchObject({ status: 'True' })
  })

  test('a policy of the cluster that refuses pods is shown with its words, without secrets', async () => {
    const name = `refuses-${namespace}`
    const admission = 'admissionregistration.k8s.io/v1'
    const matchResources = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    }
    const kind = (plural: string, of: string) => ({
      apiVersion: admission,
      kind: of,
      plural,
      isNamespaced: false,
    })
    const policies = cluster.client(
      kind('validatingadmissionpolicies', 'ValidatingAdmissionPolicy'),
    )
    const bindings = cluster.client(
      kind('validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding'),
    )
    await policies.create({
      apiVersion: admission,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] },
          ],
        },
        validations: [
          {
            expression: "!object.metadata.name.startsWith('refused-')",
            message: 'ask team red, https://red:hush-word@wiki.example/rules',
          },
        ],
      },
    } as KubeObject)
    const binding = await bindings.create({
      apiVersion: admission,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'], matchResources },
    } as KubeObject)
    const isEnforced = async (): Promise<boolean> => {
      const probe = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace, name: 'refused-probe' },
        spec: restrictedPod,
      } as KubeObject
      const error = await cluster
        .client(testKind(probe))
        .create(probe)
        .catch((thrown: unknown) => thrown)
      return messageOf(error).includes('ask team red')
    }
    // A new policy is known to the API server a moment later.
    while (!(await isEnforced())) await pause(20)
    await create('refused')
    const stalled = await said('refused', 'Stalled', 'ObjectInvalid')
    expect(stalled.message).toMatch(/pods "refused-jm-1-1".*ask team red/)
    expect(stalled.message).toContain('change what is named')
    const event = await told('refused', 'ObjectInvalid')
    for (const text of [stalled.message, event.note]) expect(text).not.toContain('hush-word')
    await bindings.remove({ name }, { uid: binding.metadata.uid ?? '' })
    await podsOf('refused', 2)
  })

  test('a field that no pod has is named before a job begins, and the job begins without it', async () => {
    const podTemplate = (field: string) => ({
      taskManager: { spec: { [field]: { disk: 'fast' } } },
    })
    await create('misspelt', { podTemplate: podTemplate('nodeSelectr') })
    const stalled = await said('misspelt', 'Stalled', 'ObjectInvalid')
    expect(stalled.message).toMatch(/unknown field "spec.nodeSelectr".*change what is named/)
    expect((await told('misspelt', 'ObjectInvalid')).note).toContain('nodeSelectr')
    const { status } = seenJobs.cache.get(`${namespace}/misspelt`) ?? {}
    expect([status?.phase, status?.epoch]).toEqual(['Queued', undefined])
    await jobs.patch({ namespace, name: 'misspelt' }, [
      { op: 'replace', path: '/spec/podTemplate', value: podTemplate('nodeSelector') },
    ])
    await podsOf('misspelt', 2)
    const pods = seenPods.cache.all() as readonly (PodObject & { readonly spec: object })[]
    const slot = pods.find(one => one.metadata.name === 'misspelt-tm-1-0-1')
    expect(slot?.spec).toMatchObject({ nodeSelector: { disk: 'fast' } })
  })

  test('a Service of somebody else with the name of ours is left alone', async () => {
    const metadata = { namespace, name: 'taken-jm' }
    const spec = { selector: { app: 'shop' }, ports: [{ port: 80 }] }
    const theirs = await apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec,
    } as KubeObject)
    await create('taken')
    const scheduled = await said('taken', 'Scheduled', 'NameTaken')
    expect(scheduled.message).toContain(`Service ${namespace}/taken-jm is there already`)
    expect(scheduled.message).toContain('give what is to be made another name')
    await told('taken', 'NameTaken')
    const services = cluster.client(testKind(theirs))
    const { resourceVersion } = (await services.get(metadata))?.metadata ?? {}
    expect(resourceVersion).toBe(theirs.metadata.resourceVersion)
    await remove(theirs)
    await podsOf('taken', 2)
    const owner = (await services.get(metadata))?.metadata.ownerReferences?.[0]
    expect(owner).toMatchObject({ kind: 'StreamJob', name: 'taken' })
  })

  test('what somebody changes by hand is set right again', async () => {
    await create('drifted')
    await podsOf('drifted', 2)
    const services = cluster.client<KubeObject & { readonly spec: Record<string, unknown> }>(
      resourceKinds.service,
    )
    const place = { namespace, name: 'drifted-jm' }
    const before = (await services.get(place))?.spec.selector
    await services.patch(place, [
      { op: 'replace', path: '/spec/selector', value: { app: 'elsewhere' } },
    ])
    const seen = watching.watch<KubeObject & { readonly spec: Record<string, unknown> }>(
      resourceKinds.service,
    )
    const mended = await seen.until(all =>
      all.find(
        one =>
          one.metadata.name === 'drifted-jm' &&
          (one.spec.selector as Record<string, string>)['weir.dev/job'] !== undefined,
      ),
    )
    expect(mended.spec.selector).toEqual(expect.objectContaining(before as object))
  })

  test('an image that is not there is told of, by its name', async () => {
    await create('imageless')
    const [name = ''] = await podsOf('imageless', 2)
    await teller.waits(name, 'ImagePullBackOff', 'Back-off pulling image "localhost/weir:test"')
    const scheduled = await said('imageless', 'Scheduled', 'ImagePullFailed')
    expect(scheduled.message).toContain('localhost/weir:test')
    expect((await told('imageless', 'ImagePullFailed')).note).toContain(name)
  })

  test('the words of a process whose bucket refuses it are shown without what it was told', async () => {
    await create('denied')
    const [name = ''] = await podsOf('denied', 2)
    const word = 'WEIR_STORAGE_DENIED s3://bucket: AWS_SECRET_ACCESS_KEY=hush-word is refused'
    await teller.say(name, 'Failed', { code: 1, word })
    const ready = await seenJobs.until(all => {
      const object = all.find(one => one.metadata.name === 'denied')
      const found = object && conditionOf(object, 'Ready')
      return found?.message.includes('WEIR_STORAGE_DENIED') ? found : undefined
    })
    expect(ready.message).toContain('AWS_SECRET_ACCESS_KEY=***')
    const all = JSON.stringify([seenJobs.cache.all(), seenEvents.cache.all()])
    expect(all).not.toContain('hush-word')
  })

  // The last: nothing more can be made there.
  test('a namespace that is being deleted is not held up', async () => {
    await create('closing', { deletionPolicy: 'purge' })
    const names = await podsOf('closing', 2)
    for (const name of names) await teller.say(name, 'Running')
    link.said.set('closing', runningFacts)
    await said('closing', 'Ready', 'Running')
    const namespaces = cluster.client(resourceKinds.namespace)
    const { uid = '' } = (await namespaces.get({ name: namespace }))?.metadata ?? {}
    await namespaces.remove({ name: namespace }, { uid })
    const closing = seenJobs.cache.get(`${namespace}/closing`)
    if (closing === undefined) throw new Error('the job is there')
    await jobs.remove(closing.metadata, { uid: closing.metadata.uid ?? '' })
    // One that no node had may be gone before anyone looks.
    for (const name of names) {
      const left = await seenPods.until(all => {
        const found = all.filter(one => one.metadata.name === name)
        return found.every(one => one.metadata.deletionTimestamp !== undefined) ? found : undefined
      })
      for (const pod of left) await remove(pod)
    }
    await seenJobs.until(all => !all.some(one => one.metadata.name === 'closing') || undefined)
  })
})
