/**
 * The charts on a real cluster, by helm and kubectl alone, as a user does it: install, test, upgrade,
 * uninstall, install again. Jobs run on through all of it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { TestBuckets } from '../storage/s3/test-buckets.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { loadImage } from '../testbed/kube/enter-node.ts'
import { Kubectl } from '../testbed/kube/kubectl.ts'
import { type OpenedPort, openToPods } from '../testbed/kube/open-to-pods.ts'
import { runTool } from '../testbed/run-tool.ts'

const home = resolve(import.meta.dirname, '../..')
const own = ['--namespace', 'weir-system']

/** Keeps state, and needs no folder: its pods may be killed. */
const counting = `
import { blackhole, datagen, job, record, sequence, z } from 'weir'
const Tick = record({ id: z.int() })
export default job('counting', env => {
  env
    .from(datagen({ type: Tick, ratePerSecond: 100, fields: { id: sequence() } }))
    .uid('ticks')
    .keyBy(tick => tick.id % 7)
    .process({
      output: Tick,
      processElement(tick, _context, out) {
        out.collect(tick)
      },
    })
    .uid('pass')
    .to(blackhole())
    .uid('out')
})
`

await describeWithPart('the charts', ['kube', 's3'], environment => {
  const kubectl = new Kubectl(environment)
  const buckets = new TestBuckets(environment)
  const following: ChildProcess[] = []
  let store: OpenedPort
  let bucket = ''
  let values = ''

  const helm = (...args: readonly string[]): Promise<string> => {
    const program = join(environment.WEIR_TESTBED_KUBE_TOOLS ?? '', 'helm')
    return runTool(program, args, { cwd: home, environment, install: '' })
  }
  const install = async (): Promise<void> => {
    await helm('install', 'weir-crds', 'charts/weir-crds', ...own, '--create-namespace')
    await helm('install', 'weir', 'charts/weir', ...own, '--values', values, '--wait')
  }

  /** What the pods of a job need to reach the bucket. */
  const reach = (container: string): object => {
    const given = { ...environment, AWS_ENDPOINT_URL_S3: store.url } as Record<string, string>
    const names = [
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_REGION',
      'AWS_ENDPOINT_URL_S3',
    ]
    const env = names.flatMap(name => {
      const value = given[name]
      return value === undefined ? [] : [{ name, value }]
    })
    return { spec: { containers: [{ name: container, env }] } }
  }

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-helm-'))
    const archive = join(folder, 'weir.oci.tar')
    const build = ['image', 'build', '--tag', 'localhost/weir:helm', '--output', archive]
    await runTool(join(home, 'weir'), build, { install: '' })
    await loadImage(environment.WEIR_TESTBED_KUBE_NODE ?? '', archive)
    store = await openToPods(
      environment.WEIR_TESTBED_S3 ?? '',
      environment.WEIR_TESTBED_KUBE_HOST ?? '',
    )
    bucket = await buckets.make()
    values = join(folder, 'values.yaml')
    const image = { tag: 'helm' }
    const testOf = {
      storage: `s3://${bucket}/helm`,
      podTemplate: {
        jobManager: reach('jobmanager'),
        taskManager: reach('taskmanager'),
      },
    }
    writeFileSync(values, stringify({ image, test: testOf }))
    await install()
  })
  afterAll(async () => {
    for (const child of following) child.kill()
    // Whoever comes next finds the cluster as it was.
    await helm('uninstall', 'weir', ...own, '--wait')
    await helm('uninstall', 'weir-crds', ...own)
    store.close()
    buckets.close()
  })

  const podsOf = async (job: string): Promise<readonly string[]> => {
    const path = 'jsonpath={range .items[*]}{.metadata.name}/{.metadata.uid}{"\\n"}{end}'
    const pods = await kubectl.run('get', 'pods', '-l', `weir.dev/job=${job}`, '-o', path)
    return pods.trim().split('\n').toSorted()
  }

  test('helm test runs a job to its end', async () => {
    expect(await helm('test', 'weir', ...own, '--logs', '--timeout', '3m')).toContain(
      'weir-test is Finished',
    )
  })

  test('a savepoint is in the bucket until it is deleted, and a job that is deleted leaves one', async () => {
    const [apiVersion, namespace] = ['weir.dev/v1alpha1', 'default']
    const isReady = () =>
      kubectl.run('wait', 'streamjob/saved', '--for=condition=Ready', '--timeout=120s')
    const field = (object: string, path: string) =>
      kubectl.run('get', object, '-o', `jsonpath={.status.${path}}`)
    const filesAt = async (path: string) => {
      const prefix = path.replace(`s3://${bucket}/`, '').replace(/\?.*$/, '')
      const keys = await buckets.keys(bucket, `${prefix}/`)
      return keys.map(key => key.split('/').at(-1))
    }
    await kubectl.apply({
      apiVersion,
      kind: 'StreamJob',
      metadata: { name: 'saved', namespace },
      spec: {
        job: { inline: counting },
        checkpoint: { storage: `s3://${bucket}/saved`, interval: '1s' },
        podTemplate: { jobManager: reach('jobmanager'), taskManager: reach('taskmanager') },
        resources: { jobManager: { cpu: '100m' }, taskManager: { cpu: '100m' } },
        deletionPolicy: 'savepoint',
      },
    })
    await isReady()
    expect(await field('streamjob/saved', 'state.path')).toMatch(/\/default\.saved\/chk-\d+/)
    // Another jobmanager is asked from now on.
    await kubectl.run('delete', 'pod', 'saved-jm-1-1', '--wait=true')
    await kubectl.wait(namespace, 'pod/saved-jm-1-2', '.status.phase=Running')
    await isReady()

    const metadata = { name: 'first', namespace }
    await kubectl.apply({ apiVersion, kind: 'Savepoint', metadata, spec: { job: 'saved' } })
    await kubectl.wait(namespace, 'savepoint/first', '.status.phase=Completed')
    const path = await field('savepoint/first', 'path')
    expect(await filesAt(path)).toContain('_metadata')
    await kubectl.run('delete', 'savepoint', 'first', '--timeout=120s')
    expect(await filesAt(path)).toEqual([])

    await kubectl.run('delete', 'streamjob', 'saved', '--timeout=120s')
    await kubectl.wait(namespace, 'savepoint/saved-final-1', '.status.phase=Completed')
    const last = await field('savepoint/saved-final-1', 'path')
    expect(last).toMatch(/\/default\.saved\/savepoints\/savepoint-\d+/)
    expect(await filesAt(last)).toContain('_metadata')
    await kubectl.run('delete', 'savepoint', 'saved-final-1', '--timeout=60s')
    expect(await filesAt(last)).toContain('_metadata')
  })

  test('an upgrade leaves a job alone, and the new controller serves it', async () => {
    const sample = join(home, 'manifests/samples/kubernetes/bank-transfers.yaml')
    const { spec, ...manifest } = parse(readFileSync(sample, 'utf8')) as { readonly spec: object }
    await kubectl.apply({
      ...manifest,
      metadata: { name: 'bank', namespace: 'default' },
      spec: {
        ...spec,
        checkpoint: { storage: `s3://${bucket}/bank`, interval: '1s' },
        podTemplate: { jobManager: reach('jobmanager'), taskManager: reach('taskmanager') },
      },
    })
    await kubectl.wait('default', 'streamjob/bank', '.status.phase=Running')
    const before = await podsOf('bank')
    expect(before).toHaveLength(3)
    const set = ['--values', values, '--set', 'logLevel=debug', '--set', 'replicas=1']
    await helm('upgrade', 'weir', 'charts/weir', ...own, ...set, '--wait')
    expect(await podsOf('bank')).toEqual(before)
    const logs = followLogs('bank')
    await logs.until('[pod/bank-tm-1-1-1/taskmanager]')
    await kubectl.run('delete', 'pod', 'bank-tm-1-1-1', '--wait=false')
    await isThere('bank-tm-1-1-2')
    await logs.until('[pod/bank-tm-1-1-2/taskmanager]')
    expect(await logs.end()).toBe(130)
  })

  const isThere = async (pod: string): Promise<void> => {
    await kubectl.run('wait', '--for=create', `pod/${pod}`, '--timeout=60s')
    await kubectl.wait('default', `pod/${pod}`, '.status.phase=Running')
  }

  /** `kubectl weir logs --follow`, until Ctrl-C. */
  const followLogs = (job: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-plugin-'))
    symlinkSync(join(home, 'weir'), join(folder, 'kubectl-weir'))
    const tools = environment.WEIR_TESTBED_KUBE_TOOLS ?? ''
    const PATH = [folder, tools, process.env.PATH].join(delimiter)
    const child = spawn(join(folder, 'kubectl-weir'), ['logs', job, '--follow'], {
      env: { ...process.env, ...environment, PATH },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    following.push(child)
    const ended = once(child, 'close')
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    return {
      until: async (words: string): Promise<void> => {
        while (!said.includes(words)) await once(child.stdout, 'data')
      },
      end: async (): Promise<unknown> => {
        child.kill('SIGINT')
        return (await ended)[0]
      },
    }
  }

  test('uninstalled it takes its rights back and leaves the jobs; they go on when it is there again', async () => {
    const before = await podsOf('bank')
    await helm('uninstall', 'weir', ...own, '--wait')
    await helm('uninstall', 'weir-crds', ...own)
    await kubectl.run('wait', '--for=delete', 'rolebinding/weir-writer', '--timeout=60s')
    expect(await podsOf('bank')).toEqual(before)
    await kubectl.run('delete', 'pod', 'bank-tm-1-0-1')
    await install()
    // Nobody is left who knows that it is the second.
    await isThere('bank-tm-1-0-1')
    await kubectl.wait('default', 'streamjob/bank', '.status.phase=Running')
    await kubectl.run('delete', 'streamjob', 'bank')
  })
})
