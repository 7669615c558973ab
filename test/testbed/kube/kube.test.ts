/** Real Kubernetes in its three sizes: that it works, and that it goes without a trace. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, expect, test } from '@jest/globals'
import { describeWithPart } from '../describe-with-part.ts'
import { isAlive } from '../hold-lock.ts'
import { runTool } from '../run-tool.ts'
import { serverPid, stopServer } from '../server-process.ts'
import { ownerOf, ownFolder } from '../test-session.ts'
import { killOnNode, loadImage } from './enter-node.ts'
import { kubeControlPart, kubeNodePart } from './kube-parts.ts'
import { linkOf, readPlan } from './kube-plan.ts'
import { kubeRequest } from './kube-request.ts'
import { Kubectl } from './kubectl.ts'

const session = process.env.WEIR_TESTBED_SESSION ?? ''
const LIMIT_MS = 60_000

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await condition()); waited += 50) {
    if (waited > LIMIT_MS) throw new Error(`waited in vain: ${what}`)
    await pause(50)
  }
}

function pidOf(folder: string, name: string): number {
  return Number(readFileSync(join(folder, 'pids', name), 'utf8'))
}

const configMaps = '/api/v1/namespaces/default/configmaps'

function configMap(name: string) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }
}

await describeWithPart('a control plane', 'kube-control', () => {
  test('keeps what it was told when it is killed, and goes with its owner', async () => {
    const folder = ownFolder(session, 'kube-control-own')
    const { KUBECONFIG = '' } = await kubeControlPart.start({ folder, owner: ownerOf(session) })
    const made = await kubeRequest(KUBECONFIG, {
      method: 'POST',
      path: configMaps,
      body: configMap('kept'),
    })
    expect(made).toMatchObject({ status: 201 })
    for (const name of ['etcd', 'apiserver']) {
      const before = pidOf(folder, name)
      process.kill(before, 'SIGKILL')
      await until(`another ${name}`, () => pidOf(folder, name) !== before)
    }
    const found = { path: `${configMaps}/kept` }
    await until('the answer', async () => {
      const answer = await kubeRequest(KUBECONFIG, found).catch(() => undefined)
      return answer?.status === 200
    })
    const pids = ['etcd', 'apiserver'].map(name => pidOf(folder, name))
    process.kill(serverPid(folder), 'SIGKILL')
    await until('the end of all', () => !pids.some(isAlive))
    // Started again it has the same address and the same objects.
    const again = await kubeControlPart.start({ folder, owner: ownerOf(session) })
    expect(again.KUBECONFIG).toBe(KUBECONFIG)
    expect(await kubeRequest(KUBECONFIG, found)).toMatchObject({ status: 200 })
    await stopServer(folder)
  })
})

await describeWithPart('fake nodes', 'kube-fake', environment => {
  test('claim to run what is scheduled on them', async () => {
    const kubectl = new Kubectl(environment)
    const spec = { containers: [{ name: 'none', image: 'none' }] }
    const selector = { matchLabels: { app: 'claimed' } }
    const template = { metadata: { labels: selector.matchLabels }, spec }
    await kubectl.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'claimed', namespace: 'default' },
      spec: { replicas: 20, selector, template },
    })
    await kubectl.wait('default', 'deployment/claimed', '.status.readyReplicas=20')
    const nodes = await kubectl.run('get', 'pods', '-o', 'jsonpath={.items[*].spec.nodeName}')
    expect(nodes.split(' ').every(name => name.startsWith('fake-'))).toBe(true)
    await kubectl.run('delete', 'deployment', 'claimed')
  })
})

const home = resolve(import.meta.dirname, '../../..')
const image = 'localhost/weir:testbed'

/** A pod as the strictest Pod Security Standard wants it; it runs Weir's image. */
function pod(name: string, container: object): object {
  const user = 10_001
  const mounts = ['work', 'tmp'].map(volume => ({ name: volume, mountPath: `/${volume}` }))
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'jobs', labels: { app: name } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        ...{ runAsUser: user, runAsGroup: user, fsGroup: user },
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'weir',
          image,
          imagePullPolicy: 'Never',
          resources: { requests: { cpu: '50m' }, limits: { cpu: '2', memory: '512Mi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: mounts,
          ...container,
        },
      ],
      volumes: mounts.map(one => ({ name: one.name, emptyDir: {} })),
    },
  }
}

function networkPolicy(spec: object): object {
  const metadata = { name: 'server', namespace: 'jobs' }
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec }
}

function node(code: string): object {
  return { command: ['/usr/local/bin/node', '--eval', code] }
}

await describeWithPart('a real node', 'kube', environment => {
  const kubectl = new Kubectl(environment)
  const folder = environment.WEIR_TESTBED_KUBE_NODE ?? ''

  /** Runs a pod to its end; gives what it printed. */
  async function run(name: string, container: object): Promise<string> {
    await kubectl.apply(pod(name, container))
    await kubectl.wait('jobs', `pod/${name}`, '.status.phase=Succeeded')
    return await kubectl.run('logs', '--namespace', 'jobs', name)
  }

  beforeAll(async () => {
    const archive = join(mkdtempSync(join(tmpdir(), 'weir-image-')), 'weir.oci.tar')
    const build = ['image', 'build', '--tag', image, '--output', archive]
    await runTool(join(home, 'weir'), build, { install: '' })
    await loadImage(folder, archive)
    const enforce = { 'pod-security.kubernetes.io/enforce': 'restricted' }
    const metadata = { name: 'jobs', labels: enforce }
    await kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata })
  })

  test("runs Weir's image as nobody, without rights, on a root that cannot be written", async () => {
    const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
    expect(await run('version', { args: ['--version'] })).toBe(`${version}\n`)
    const code = `const fs = require('node:fs')
      try { fs.writeFileSync('/opt/weir/x', '') } catch (error) { console.log(error.code) }
      console.log(process.getuid())`
    expect(await run('rights', node(code))).toBe('EROFS\n10001\n')
  })

  test('runs a job to its end', async () => {
    const sample = '/opt/weir/manifests/samples/bank-transfers.yaml'
    const set = (field: string) => ['--set', `spec.${field}`]
    const args = ['run', sample, ...set('parallelism=1'), ...set('job.args.output=/work/out')]
    expect(await run('bank', { args })).toContain('500,000 records in, 1,000,000 out')
  })

  test('its pods reach each other by name, and the machine reaches them', async () => {
    const server = `require('node:http').createServer((_, answer) => answer.end('here')).listen(8080)`
    await kubectl.apply(pod('server', node(server)), {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'server', namespace: 'jobs' },
      spec: { selector: { app: 'server' }, ports: [{ port: 80, targetPort: 8080 }] },
    })
    await kubectl.wait('jobs', 'pod/server', '.status.phase=Running')
    const client = `const ask = () => fetch('http://server.jobs.svc.cluster.local')
      .then(answer => answer.text()).then(console.log, () => setTimeout(ask, 100))
      ask()`
    expect(await run('client', node(client))).toBe('here\n')
    const where = ['get', 'pod', 'server', '--namespace', 'jobs', '-o', 'jsonpath={.status.podIP}']
    const address = await kubectl.run(...where)
    expect(await (await fetch(`http://${address}:8080`)).text()).toBe('here')
    // A policy closes the server to all, then opens it to one.
    const own = { matchLabels: { app: 'server' } }
    await kubectl.apply(networkPolicy({ podSelector: own, policyTypes: ['Ingress'] }))
    const knock = `const knock = () => fetch('http://${address}:8080', { signal: AbortSignal.timeout(1000) })
      .then(() => setTimeout(knock, 100), () => console.log('closed'))
      knock()`
    expect(await run('stranger', node(knock))).toBe('closed\n')
    const from = [{ podSelector: { matchLabels: { app: 'friend' } } }]
    await kubectl.apply(networkPolicy({ podSelector: own, ingress: [{ from }] }))
    const ask = client.replace('server.jobs.svc.cluster.local', `${address}:8080`)
    expect(await run('friend', node(ask))).toBe('here\n')
    await kubectl.run('delete', 'networkpolicy', 'server', '--namespace', 'jobs')
    await kubectl.run('delete', 'pod', 'server', '--namespace', 'jobs')
  })

  test('a kubelet that is killed comes back, and its pods have not ended', async () => {
    await kubectl.apply(pod('lasting', node('setInterval(() => {}, 1000)')))
    await kubectl.wait('jobs', 'pod/lasting', '.status.phase=Running')
    const before = pidOf(folder, 'kubelet')
    await killOnNode(folder, 'kubelet')
    await until('another kubelet', () => pidOf(folder, 'kubelet') !== before)
    expect(await run('after', { args: ['--version'] })).not.toBe('')
    const restarts = 'jsonpath={.status.phase} {.status.containerStatuses[0].restartCount}'
    const lasting = ['get', 'pod', 'lasting', '--namespace', 'jobs', '-o', restarts]
    expect(await kubectl.run(...lasting)).toBe('Running 0')
    await kubectl.run('delete', 'pod', 'lasting', '--namespace', 'jobs')
  })

  test('goes without a trace when its owner is killed', async () => {
    const own = ownFolder(session, 'kube-own')
    const owner = spawn('sleep', ['1000'])
    await kubeNodePart.start({ folder: own, owner: owner.pid ?? 0 })
    const { index } = readPlan(join(own, 'plan.json')).network
    expect(traces(own, index)).not.toEqual([])
    const server = serverPid(own)
    owner.kill('SIGKILL')
    await until('the end of the node', () => !isAlive(server))
    await until('the end of its traces', () => traces(own, index).length === 0)
  })

  test('what a node leaves that is killed itself, the next one clears', async () => {
    const own = ownFolder(session, 'kube-killed')
    const owner = ownerOf(session)
    await kubeNodePart.start({ folder: own, owner })
    const { index } = readPlan(join(own, 'plan.json')).network
    const inside = processesOf(own)
    process.kill(serverPid(own), 'SIGKILL')
    await until('the end of all within', () => !inside.some(isAlive))
    await kubeNodePart.start({ folder: own, owner })
    expect(readPlan(join(own, 'plan.json')).network.index).toBe(index)
    await stopServer(own)
    await until('the end of its traces', () => traces(own, index).length === 0)
  })
})

/** What a node has on the machine: its cable, its control groups, its processes, its mounts. */
function traces(folder: string, index: number): readonly string[] {
  const links = spawnSync('ip', ['-brief', 'link'], { encoding: 'utf8' }).stdout
  const groups = readdirSync('/sys/fs/cgroup').map(tree =>
    join('/sys/fs/cgroup', tree, linkOf(index)),
  )
  const found = [...groups.filter(group => existsSync(group)), ...processesOf(folder).map(String)]
  if (links.includes(`${linkOf(index)}@`)) found.push(linkOf(index))
  if (readFileSync('/proc/mounts', 'utf8').includes(folder)) found.push('mounts')
  return found
}

/** Everything in the process namespace of the node's first process. */
function processesOf(folder: string): readonly number[] {
  const space = namespaceOf(Number(readFileSync(join(folder, 'init'), 'utf8')))
  if (space === undefined) return []
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => pid > 0 && namespaceOf(pid) === space)
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined
  }
}
