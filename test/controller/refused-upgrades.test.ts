/**
 * Upgrades whose pods the API server would not make, on a real one: that is found while the old ones
 * run, which are left alone; what is mended, by the person or by the cluster, goes on.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { FakeLink, runningFacts } from './fake-link.ts'
import { grantRights } from './granted.ts'
import { JobKubelet } from './job-kubelet.ts'
import { type RunningController, runTestController } from './run-test-controller.ts'
import { connectTo, installCrds, testKind } from './test-cluster.ts'
import { type Seen, type Watching, watcherOf } from './test-watch.ts'

const limitRanges = {
  apiVersion: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  isNamespaced: true,
}

await describeWithPart('an upgrade whose pods are refused', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const jobs = cluster.client<StreamJobObject>(resourceKinds.streamJob)
  const link = new FakeLink()
  let namespace = ''
  let running: RunningController
  let watching: Watching
  let kubelet: JobKubelet
  let seenJobs: Seen<StreamJobObject>
  let seenPods: Seen<PodObject>

  beforeAll(async () => {
    await installCrds(cluster)
    namespace = await cluster.namespace({ 'pod-security.kubernetes.io/enforce': 'restricted' })
    await cluster.defaultAccount(namespace)
    const { grant, connection } = await grantRights(cluster, namespace, environment)
    watching = watcherOf(cluster, namespace)
    seenJobs = watching.watch<StreamJobObject>(resourceKinds.streamJob)
    seenPods = watching.watch<PodObject>(resourceKinds.pod)
    kubelet = new JobKubelet({ cluster, namespace, pods: seenPods, link })
    running = runTestController({ config: { namespace, grant }, connection, link })
  })
  afterAll(async () => {
    expect(await running.stop()).toBe(0)
    kubelet.end()
    await watching.end()
    await cluster.close()
  })

  const apply = (name: string, spec: object) =>
    jobs.apply(
      {
        apiVersion: 'weir.dev/v1alpha1',
        kind: 'StreamJob',
        metadata: { namespace, name },
        spec: {
          job: { module: 'a.ts' },
          checkpoint: { storage: 's3://bucket/prefix' },
          rollback: { stableCheckpoints: 1 },
          ...spec,
        },
      },
      { manager: 'person' },
    )

  const until = (
    name: string,
    holds: (status: NonNullable<StreamJobObject['status']>) => unknown,
  ) =>
    seenJobs.until(all => {
      const found = all.find(one => one.metadata.name === name)
      return found?.status !== undefined && holds(found.status) ? found.status : undefined
    })

  /** Deployed, and stable. */
  const deployed = async (name: string, spec: object = {}) => {
    link.said.set(name, runningFacts)
    await apply(name, spec)
    await until(
      name,
      ({ phase, revision }) => phase === 'Running' && revision?.stable !== undefined,
    )
    return uidsOf(name)
  }

  const uidsOf = (name: string) =>
    seenPods.cache
      .all()
      .filter(({ metadata }) => metadata.labels?.['weir.dev/job'] === name)
      .filter(({ metadata }) => metadata.labels?.['weir.dev/role'] !== 'plan')
      .map(({ metadata }) => metadata.uid)
      .toSorted()

  const stalled = (name: string, reason: string) =>
    until(name, ({ conditions = [] }) =>
      conditions.some(one => one.type === 'Stalled' && one.reason === reason),
    )

  const messageOf = (status: NonNullable<StreamJobObject['status']>, type: string) =>
    status.conditions?.find(one => one.type === type)?.message

  const upgraded = (name: string, epoch: number) =>
    until(name, ({ revision, upgrade, ...status }) => {
      const isStable = revision?.stable === revision?.current
      return status.epoch === epoch && upgrade === undefined && isStable
    })

  const mad: Readonly<Record<string, { spec: object; says: RegExp }>> = {
    'what Pod Security forbids to slots': {
      spec: { podTemplate: { taskManager: { spec: { hostNetwork: true } } } },
      says: /pods "\S+-tm-2-0-1".*violates PodSecurity.*host namespaces.*change what is named/,
    },
    'what it forbids to the plan itself': {
      spec: { podTemplate: { jobManager: { spec: { hostNetwork: true } } } },
      says: /pods "\S+-plan-\S+".*violates PodSecurity/,
    },
    'a template with other types': {
      spec: { podTemplate: { taskManager: { spec: { nodeSelector: ['a', 'b'] } } } },
      says: /cannot unmarshal array.*nodeSelector/,
    },
    'a template with a field that is none': {
      spec: { podTemplate: { taskManager: { spec: { nodeSelectr: { a: 'b' } } } } },
      says: /unknown field "spec.nodeSelectr"/,
    },
    'a template with values that are none': {
      spec: { podTemplate: { taskManager: { spec: { dnsPolicy: 'Hush' } } } },
      says: /Unsupported value: "Hush"/,
    },
  }

  test.each(Object.entries(mad))('%s: it is rejected, the job runs on', async (what, given) => {
    const name = `mad-${Object.keys(mad).indexOf(what)}`
    const before = await deployed(name)
    await apply(name, given.spec)
    const status = await stalled(name, 'PlanRejected')
    expect(messageOf(status, 'Stalled')).toMatch(given.says)
    expect(status).toMatchObject({ epoch: 1, phase: 'Running' })
    expect(uidsOf(name)).toEqual(before)
    expect(link.said.get(name)?.stop).toBeNull()
    await apply(name, { restartNonce: 1 })
    await upgraded(name, 2)
  })

  /** What a container may have at most, until it is lifted. */
  const limit = async (memory: string) => {
    const limits = await cluster.client(limitRanges).create({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { namespace, name: `most-${memory.toLowerCase()}` },
      spec: { limits: [{ type: 'Container', max: { memory } }] },
    } as KubeObject)
    const { metadata } = limits
    return () => cluster.client(limitRanges).remove(metadata, { uid: metadata.uid ?? '' })
  }

  test('more than a LimitRange allows', async () => {
    await deployed('large')
    const lift = await limit('1Gi')
    await apply('large', { resources: { taskManager: { cpu: 1, memory: '2Gi' } } })
    const status = await stalled('large', 'PlanRejected')
    expect(messageOf(status, 'Stalled')).toMatch(/tm-2-0-1.*maximum memory usage per Container/)
    expect(status.epoch).toBe(1)
    await lift()
  })

  test('an account that is not there yet is waited for', async () => {
    await deployed('accountless')
    await apply('accountless', { serviceAccountName: 'later' })
    const status = await until('accountless', ({ conditions = [] }) =>
      conditions.some(one => one.type === 'Scheduled' && one.reason === 'ServiceAccountMissing'),
    )
    expect(status).toMatchObject({ epoch: 1, upgrade: { phase: 'Planning' } })
    expect(messageOf(status, 'UpgradeInProgress')).toContain('make that account')
    expect(messageOf(status, 'Ready')).toContain('pods run')
    const account = { apiVersion: 'v1', kind: 'ServiceAccount' }
    const metadata = { namespace, name: 'later' }
    await cluster.client(testKind({ ...account, metadata })).create({ ...account, metadata })
    await upgraded('accountless', 2)
    await until('accountless', status => messageOf(status, 'Scheduled') === 'no pod waits')
  })

  test('a job that rested while the rules changed says what is in the way, and begins when it may', async () => {
    await deployed('rested')
    await apply('rested', { state: 'suspended' })
    await until('rested', ({ phase }) => phase === 'Suspended')
    const lift = await limit('600Mi')
    await apply('rested', { state: 'running' })
    const status = await stalled('rested', 'AdmissionDenied')
    expect(status).toMatchObject({ epoch: 1, upgrade: { phase: 'Planning' } })
    expect(messageOf(status, 'Stalled')).toContain('maximum memory usage per Container is 600Mi')
    await lift()
    await upgraded('rested', 2)
  })
})
