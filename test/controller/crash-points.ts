/**
 * Ends a controller right after one of its writes, as a kill would: the API server has done what was
 * asked, the answer is lost, and nothing more can be sent. Another controller takes its place. Done
 * for each write of a story, the end must be that of the undisturbed run.
 */
import { SystemClock } from '../../src/common/clock.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { SystemRandom } from '../../src/common/random.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import { Controller } from '../../src/controller/run-controller.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { PartEnvironment } from '../testbed/part.ts'
import { FakeLink, runningFacts } from './fake-link.ts'
import { KubeProxy, type ProxiedRequest } from './kube/kube-proxy.ts'
import type { TestCluster } from './test-cluster.ts'
import { PodTeller, type Seen, type Watching, watcherOf } from './test-watch.ts'

/** A namespace with jobmanagers, a kubelet, and controllers that come and go. */
export interface CrashWorld {
  readonly cluster: TestCluster
  readonly namespace: string
  readonly watching: Watching
  /** Jobmanagers outlive controllers. */
  readonly link: FakeLink
  readonly pods: Seen<PodObject>
}

export interface CrashOptions {
  readonly cluster: TestCluster
  readonly environment: PartEnvironment
  /** What people do, up to the end. What it gives is to be the same in every run. */
  readonly story: (world: CrashWorld) => Promise<unknown>
}

export interface CrashRun {
  readonly end: unknown
  /** `VERB path`, without what differs between runs. */
  readonly writes: readonly string[]
}

const times = { durationMs: 900, renewDeadlineMs: 600, retryMs: 50 }

/** Runs the story; after its write number `crashAt`, from 1, the controller is gone. */
export async function crashRun(options: CrashOptions, crashAt?: number): Promise<CrashRun> {
  const { cluster, environment, story } = options
  const namespace = await cluster.namespace()
  await cluster.defaultAccount(namespace)
  const watching = watcherOf(cluster, namespace)
  const pods = watching.watch<PodObject>(resourceKinds.pod)
  const link = new FakeLink()
  const stopKubelet = runKubelet({ cluster, namespace, pods, link })
  const writes: string[] = []
  const ends: Promise<number>[] = []
  let current: Controller | undefined

  const start = async (): Promise<void> => {
    const proxy = await KubeProxy.start(environment)
    const controller = controllerOf(proxy, namespace, link)
    proxy.fault = request => {
      if (!isWrite(request)) return undefined
      writes.push(`${request.method} ${shortened(request.path, namespace)}`)
      if (writes.length !== crashAt) return undefined
      // The write is on its way: what comes after it is not.
      proxy.fault = () => 'busy'
      queueMicrotask(() => void crash(proxy, controller))
      return 'lost'
    }
    current = controller
    ends.push(runThenClose(controller, proxy))
  }
  const crash = async (proxy: KubeProxy, controller: Controller): Promise<void> => {
    controller.stop()
    await start()
    proxy.fault = () => 'busy'
  }

  await start()
  const world = { cluster, namespace, watching, link, pods }
  const end = await story(world)
  current?.stop()
  await Promise.all(ends)
  stopKubelet()
  await watching.end()
  return { end, writes }
}

function controllerOf(proxy: KubeProxy, namespace: string, link: FakeLink): Controller {
  return new Controller({
    config: {
      namespace,
      watchNamespace: namespace,
      tenancy: false,
      userRoles: 'weir',
      grant: undefined,
      engineImage: 'localhost/weir:test',
      probes: { host: '127.0.0.1', port: 0 },
      hostName: 'test',
    },
    masterKeys: ['a key of at least thirty-two characters'],
    link,
    connection: proxy.config,
    host: { clock: new SystemClock(), random: new SystemRandom(), onTerm: () => {} },
    logger: silentLogger,
    times,
  })
}

/** Leases and events tell of the controller, not of jobs. */
function isWrite({ method, path }: ProxiedRequest): boolean {
  return method !== 'GET' && !path.includes('/leases') && !path.includes('/events')
}

function shortened(path: string, namespace: string): string {
  const [place = ''] = path.split('?')
  return place.replace(`/namespaces/${namespace}`, '').replaceAll(/-[0-9a-f]{8}(?=-|\/|$)/g, '-UID')
}

interface Kubelet {
  readonly cluster: TestCluster
  readonly namespace: string
  readonly pods: Seen<PodObject>
  readonly link: FakeLink
}

/**
 * Pods of a job run, those that run a verb succeed, those that leave are gone; a jobmanager that was
 * stopped ends with its last word.
 */
function runKubelet({ cluster, namespace, pods, link }: Kubelet): () => void {
  const teller = new PodTeller(cluster, namespace)
  const client = cluster.client<PodObject>(resourceKinds.pod)
  const told = new Set<string>()
  let isOver = false
  const tell = async ({ metadata }: PodObject): Promise<void> => {
    const { name, uid = '', deletionTimestamp, labels = {} } = metadata
    const role = labels['weir.dev/role']
    const facts = link.said.get(labels['weir.dev/job'] ?? '')
    const isStopped = role === 'jobmanager' && facts?.status === 'stopped'
    const what =
      deletionTimestamp !== undefined ? 'gone' : role === 'verb' || isStopped ? 'ended' : 'runs'
    if (isOver || told.has(`${uid} ${what}`)) return
    told.add(`${uid} ${what}`)
    if (what === 'gone') {
      await client.remove({ namespace, name }, { uid, graceSeconds: 0 })
      return
    }
    const word = JSON.stringify(facts ?? runningFacts)
    await (what === 'runs'
      ? teller.say(name, 'Running')
      : teller.say(name, 'Succeeded', { code: 0, word }))
  }
  // One that is gone meanwhile needs nothing said.
  const look = (): void => {
    for (const pod of pods.cache.all()) void tell(pod).catch(() => {})
  }
  pods.cache.onChange(look)
  link.onChange(look)
  look()
  return () => {
    isOver = true
  }
}

async function runThenClose(controller: Controller, proxy: KubeProxy): Promise<number> {
  try {
    return await controller.run()
  } finally {
    await proxy.close()
  }
}
