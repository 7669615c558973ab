/**
 * Upgrades whose pods the API server would not make, on a real one: that is found while the old ones
 * run, which are left alone; what is mended, by the person or by the cluster, goes on.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { runningFacts } from './fake-link.ts'
import { type JobStatus, ServedNamespace } from './served-namespace.ts'
import { testKind } from './test-cluster.ts'

const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' }
const limitRanges = {
  apiVersion: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  isNamespaced: true,
}

await describeWithPart('an upgrade whose pods are refused', 'kube-control', environment => {
  let at: ServedNamespace

  beforeAll(async () => {
    at = await ServedNamespace.open(environment, restricted)
    at.playKubelet()
  })
  afterAll(() => at.close())

  /** Deployed, and stable. */
  const deployed = async (name: string, spec: object = {}) => {
    at.link.said.set(name, runningFacts)
    await at.apply(name, spec)
    await at.until(
      name,
      ({ phase, revision }) => phase === 'Running' && revision?.stable !== undefined,
    )
    return uidsOf(name)
  }

  const uidsOf = (name: string) =>
    at.pods.cache
      .all()
      .filter(({ metadata }) => metadata.labels?.['weir.dev/job'] === name)
      .filter(({ metadata }) => metadata.labels?.['weir.dev/role'] !== 'plan')
      .map(({ metadata }) => metadata.uid)
      .toSorted()

  const stalled = (name: string, reason: string) =>
    at.until(name, ({ conditions = [] }) =>
      conditions.some(one => one.type === 'Stalled' && one.reason === reason),
    )

  const messageOf = (status: JobStatus, type: string) =>
    status.conditions?.find(one => one.type === type)?.message

  const upgraded = (name: string, epoch: number) =>
    at.until(name, ({ revision, upgrade, ...status }) => {
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
    await at.apply(name, given.spec)
    const status = await stalled(name, 'PlanRejected')
    expect(messageOf(status, 'Stalled')).toMatch(given.says)
    expect(status).toMatchObject({ epoch: 1, phase: 'Running' })
    expect(uidsOf(name)).toEqual(before)
    expect(at.link.said.get(name)?.stop).toBeNull()
    await at.apply(name, { restartNonce: 1 })
    await upgraded(name, 2)
  })

  /** What a container may have at most, until it is lifted. */
  const limit = async (memory: string) => {
    const limits = await at.cluster.client(limitRanges).create({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { namespace: at.name, name: `most-${memory.toLowerCase()}` },
      spec: { limits: [{ type: 'Container', max: { memory } }] },
    } as KubeObject)
    const { metadata } = limits
    return () => at.cluster.client(limitRanges).remove(metadata, { uid: metadata.uid ?? '' })
  }

  test('more than a LimitRange allows', async () => {
    await deployed('large')
    const lift = await limit('1Gi')
    await at.apply('large', { resources: { taskManager: { cpu: 1, memory: '2Gi' } } })
    const status = await stalled('large', 'PlanRejected')
    expect(messageOf(status, 'Stalled')).toMatch(/tm-2-0-1.*maximum memory usage per Container/)
    expect(status.epoch).toBe(1)
    await lift()
  })

  test('an account that is not there yet is waited for', async () => {
    await deployed('accountless')
    await at.apply('accountless', { serviceAccountName: 'later' })
    const status = await at.until('accountless', ({ conditions = [] }) =>
      conditions.some(one => one.type === 'Scheduled' && one.reason === 'ServiceAccountMissing'),
    )
    expect(status).toMatchObject({ epoch: 1, upgrade: { phase: 'Planning' } })
    expect(messageOf(status, 'UpgradeInProgress')).toContain('make that account')
    expect(messageOf(status, 'Ready')).toContain('pods run')
    const account = { apiVersion: 'v1', kind: 'ServiceAccount' }
    const metadata = { namespace: at.name, name: 'later' }
    await at.cluster.client(testKind({ ...account, metadata })).create({ ...account, metadata })
    await upgraded('accountless', 2)
    await at.until('accountless', status => messageOf(status, 'Scheduled') === 'no pod waits')
  })

  test('a job that rested while the rules changed says what is in the way, and begins when it may', async () => {
    await deployed('rested')
    await at.apply('rested', { state: 'suspended' })
    await at.until('rested', ({ phase }) => phase === 'Suspended')
    const lift = await limit('600Mi')
    await at.apply('rested', { state: 'running' })
    const status = await stalled('rested', 'AdmissionDenied')
    expect(status).toMatchObject({ epoch: 1, upgrade: { phase: 'Planning' } })
    expect(messageOf(status, 'Stalled')).toContain('maximum memory usage per Container is 600Mi')
    await lift()
    await upgraded('rested', 2)
  })
})
