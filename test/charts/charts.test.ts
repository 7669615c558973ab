/** The charts: made from the code where they can be, and taken by Helm as they are meant. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse, parseAllDocuments, parseDocument, stringify } from 'yaml'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import { controllerMetricDefinitions } from '../../src/observability/controller-metric-definitions.ts'
import { connectionOf } from '../controller/granted.ts'
import { rightsOf } from '../controller/rights-of.ts'
import { runTestController } from '../controller/run-test-controller.ts'
import { connectTo, installCrds, testKind } from '../controller/test-cluster.ts'
import { crdFiles } from '../crd-files.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { kubeProgram } from '../testbed/kube/kube-binaries.ts'
import { runTool } from '../testbed/run-tool.ts'
import { TestbedError } from '../testbed/testbed-error.ts'
import { chartFiles, installManifest, renderedInstall } from './chart-files.ts'
import { chartValuesSchema, crdValuesSchema } from './chart-values.ts'

const home = resolve(import.meta.dirname, '../..')
const textOf = (path: string): string => readFileSync(join(home, path), 'utf8')

test.each([...chartFiles()])('%s is as npm run charts makes it', (path, text) => {
  expect(textOf(path)).toBe(text)
})

test.each(['charts/weir', 'charts/weir-crds'])('%s is of the version of Weir', chart => {
  const { version } = JSON.parse(textOf('package.json')) as { version: string }
  expect(parse(textOf(`${chart}/Chart.yaml`))).toMatchObject({ version, appVersion: version })
})

test.each([
  ['charts/weir', chartValuesSchema],
  ['charts/weir-crds', crdValuesSchema],
])('the values of %s are what their schema says, each with its comment', (chart, schema) => {
  const text = textOf(`${chart}/values.yaml`)
  const values = schema.parse(parse(text)) as Record<string, unknown>
  const known = Object.keys(schema.shape).filter(name => name !== 'global')
  expect(Object.keys(values).toSorted()).toEqual(known.toSorted())
  // Those between two empty lines share a comment.
  const blocks = text.split(/\n\n(?=\S)/)
  expect(blocks.filter(block => !block.startsWith('#'))).toEqual([])
})

/** Names in an expression of Prometheus, with the labels that it asks for. */
function metricsIn(expression: string): readonly string[] {
  return [...expression.matchAll(/\bweir_\w+/g)].map(([name]) => name.replace(/_bucket$/, ''))
}

test('alerts and dashboard ask for metrics and labels that there are', () => {
  const alerts = textOf('charts/weir/files/alerts.yaml')
  const dashboard = textOf('charts/weir/files/controller-dashboard.json')
  const expressions = [
    ...[...alerts.matchAll(/expr: ([\s\S]*?)\n {8}(?:for|labels):/g)].map(match => match[1] ?? ''),
    ...[...dashboard.matchAll(/"expr": "(.*)"/g)].map(match => match[1] ?? ''),
  ]
  expect(expressions.length).toBeGreaterThan(15)
  const defined: Readonly<Record<string, { readonly labels: readonly string[] }>> =
    controllerMetricDefinitions
  for (const expression of expressions) {
    const [name = '', ...others] = metricsIn(expression)
    expect([name, ...others].filter(one => defined[one] === undefined)).toEqual([])
    const [, by = ''] = /by \(([^)]*)\)/.exec(expression) ?? []
    const labels = by.split(/, ?/).filter(label => label !== '' && label !== 'le')
    expect({
      name,
      unknown: labels.filter(label => !defined[name]?.labels.includes(label)),
    }).toEqual({
      name,
      unknown: [],
    })
  }
})

/** Skipped where Go is missing, which fails with CI=true. */
const tools = await kubeProgram('tools').catch((error: unknown) => {
  const isMissing = error instanceof TestbedError && error.isMissing
  if (!isMissing || process.env.CI === 'true') throw error
  process.stderr.write(`Helm does not look at the charts: ${error}\n`)
  return undefined
})
const describeWithHelm = tools === undefined ? describe.skip : describe

const helm = (...args: readonly string[]): Promise<string> =>
  runTool(join(tools ?? '', 'helm'), args, { cwd: home, install: '', gives: 'output' })

/** What the chart makes of the values that are not the default. */
function render(values: object, chart = 'charts/weir'): Promise<string> {
  const file = join(mkdtempSync(join(tmpdir(), 'weir-chart-')), 'values.yaml')
  writeFileSync(file, stringify(values))
  return helm('template', 'weir', chart, '--namespace', 'weir-system', '--values', file)
}

async function objectsOf(values: object): Promise<readonly KubeObject[]> {
  const documents = parseAllDocuments(await render(values))
  return documents.map(document => document.toJS() as KubeObject)
}

const everythingOn = {
  image: { repository: 'registry.example/weir', digest: `sha256:${'a'.repeat(64)}` },
  imagePullSecrets: [{ name: 'registry' }],
  engineImage: 'registry.example/weir:jobs',
  masterKey: { existingSecret: 'given' },
  replicas: 3,
  serviceAccount: { annotations: { team: 'streams' } },
  podAnnotations: { note: 'text' },
  podLabels: { team: 'streams' },
  nodeSelector: { 'kubernetes.io/arch': 'amd64' },
  tolerations: [{ key: 'dedicated', operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
  ],
  priorityClassName: 'high',
  networkPolicy: { metricsFrom: [{ namespaceSelector: {} }] },
  metrics: {
    podMonitor: { enabled: true, labels: { release: 'prometheus' } },
    alerts: { enabled: true, labels: { release: 'prometheus' } },
    dashboards: { enabled: true },
  },
  test: { storage: 's3://bucket/tests/', podTemplate: { jobManager: { spec: { priority: 1 } } } },
}

const bareBones = {
  replicas: 1,
  watchNamespaces: ['jobs', 'more'],
  masterKey: { existingSecret: 'weir-master-key' },
  podDisruptionBudget: { enabled: false },
  networkPolicy: { enabled: false },
}

describeWithHelm('Helm', () => {
  test('finds nothing to say against the charts', async () => {
    expect(await helm('lint', '--strict', 'charts/weir', 'charts/weir-crds')).toContain(
      '0 chart(s) failed',
    )
  })

  test('renders the install manifest that lies here', async () => {
    expect(textOf(installManifest)).toBe(await renderedInstall())
  })

  test.each([
    ['everything on', everythingOn],
    ['one namespace, and no more than must be', bareBones],
  ])('renders %s', async (_name, values) => {
    expect(await render(values)).toMatchSnapshot()
  })

  test('renders the kinds as they lie in crds/, to be kept', async () => {
    const rendered = parseAllDocuments(await render({}, 'charts/weir-crds'))
    for (const document of rendered) {
      const path = ['metadata', 'annotations', 'helm.sh/resource-policy']
      expect(document.getIn(path)).toBe('keep')
      document.deleteIn(path)
    }
    const kinds = [...crdFiles().values()].map(text => parseDocument(text).toJS() as unknown)
    const names = (all: readonly unknown[]) =>
      (all as KubeObject[]).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    expect(names(rendered.map(one => one.toJS() as unknown))).toEqual(names(kinds))
    expect(await render({ keep: false }, 'charts/weir-crds')).not.toContain('resource-policy')
  })

  test('makes a master key where none is named, and keeps it', async () => {
    const secret = (await objectsOf({})).find(({ kind }) => kind === 'Secret')
    const { key = '' } = (secret as { readonly data?: { readonly key?: string } }).data ?? {}
    expect(Buffer.from(key, 'base64').toString()).toMatch(/^[a-zA-Z0-9]{64}$/)
    expect(secret?.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' })
    expect((await objectsOf(bareBones)).map(({ kind }) => kind)).not.toContain('Secret')
  })

  test('has a test only where there is a bucket for it', async () => {
    expect(await render({})).not.toContain('helm.sh/hook')
  })

  test.each([
    ['a name nobody knows', { replica: 2 }, 'replica'],
    ['an inner name nobody knows', { image: { name: 'x' } }, 'name'],
    ['a level of the log that is none', { logLevel: 'loud' }, 'logLevel'],
    ['a text for a number', { replicas: 'two' }, 'replicas'],
    ['more replicas than make sense', { replicas: 50 }, 'replicas'],
    ['a digest that is none', { image: { digest: 'sha256:1' } }, 'digest'],
    ['a folder for a bucket', { test: { storage: '/tmp' } }, 'storage'],
    ['a port beyond all', { networkPolicy: { apiServerPorts: [70_000] } }, 'apiServerPorts'],
    ['a namespace that cannot be', { watchNamespaces: ['Jobs'] }, 'watchNamespaces'],
  ])('refuses %s', async (_what, values, named) => {
    await expect(render(values)).rejects.toThrow(named)
  })

  test('lets a chart of charts hand on what is global', async () => {
    expect(await render({ global: { team: 'streams' } })).toContain('kind: Deployment')
  })
})

if (tools !== undefined) {
  await describeWithPart('a controller of some namespaces', 'kube-control', environment => {
    const cluster = connectTo(environment)
    let jobs = ''
    let more = ''
    let own = ''
    beforeAll(async () => {
      await installCrds(cluster)
      jobs = await cluster.namespace()
      more = await cluster.namespace()
      own = await cluster.namespace()
      const text = await render({ ...bareBones, watchNamespaces: [jobs, more] })
      for (const document of parseAllDocuments(text.replaceAll('weir-system', own))) {
        const object = document.toJS() as KubeObject
        await cluster.client(testKind(object)).apply(object, { manager: 'weir-test' })
      }
    })
    afterAll(() => cluster.close())

    const rightsIn = (namespace: string) =>
      rightsOf(cluster, `system:serviceaccount:${own}:weir-controller`, namespace)

    test('may there what its jobs need', async () => {
      expect(await rightsIn(jobs)).toEqual([
        'list,watch,create,patch,delete configmaps',
        'list,watch,create,delete controllerrevisions.apps',
        'create,patch events.events.k8s.io',
        'list,watch,create,patch networkpolicies.networking.k8s.io',
        'list,watch,create,patch poddisruptionbudgets.policy',
        'list,watch,create,delete pods',
        'get,list,watch,create,patch,delete savepoints.weir.dev',
        'update savepoints.weir.dev/finalizers',
        'patch savepoints.weir.dev/status',
        'create secrets',
        'list,watch,create,patch services',
        'get,list,watch,patch streamjobs.weir.dev',
        'update streamjobs.weir.dev/finalizers',
        'patch streamjobs.weir.dev/status',
      ])
    })

    test('runs jobs there', async () => {
      const account = { namespace: own, account: 'weir-controller', environment }
      const connection = await connectionOf(cluster, account)
      const config = { namespace: own, watchNamespaces: [jobs, more] }
      const running = runTestController({ config, connection })
      for (const namespace of config.watchNamespaces) {
        const serviceAccount = { apiVersion: 'v1', kind: 'ServiceAccount' }
        const job = {
          apiVersion: 'weir.dev/v1alpha1',
          kind: 'StreamJob',
          spec: { job: { module: 'job.ts' }, checkpoint: { storage: 's3://bucket/bank' } },
        }
        for (const object of [
          { ...serviceAccount, metadata: { namespace, name: 'default' } },
          { ...job, metadata: { namespace, name: 'bank' } },
        ]) {
          await cluster.client(testKind(object)).apply(object, { manager: 'weir-test' })
        }
      }
      const pods = cluster.client(resourceKinds.pod)
      for (const namespace of config.watchNamespaces) {
        while ((await pods.list({ namespace })).items.length < 2) await pause(20)
      }
      expect(await running.stop()).toBe(0)
    })

    test('may nothing elsewhere', async () => {
      expect(await rightsIn('default')).toEqual([])
      expect(await rightsIn(own)).toEqual(['create leases.coordination.k8s.io'])
      expect((await objectsOf(bareBones)).map(({ kind }) => kind)).not.toContain('ClusterRole')
    })
  })
}
