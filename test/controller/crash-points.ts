/**
 * Ends a controller right after one of its writes, as a kill would: the API server has done what was
 * asked, the answer is lost, and nothing more can be sent. Another controller takes its place. Done
 * for each write of a story, the end must be that of the undisturbed run.
 */
import { isKubeError } from '../../src/controller/kube/kube-errors.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { Controller } from '../../src/controller/run-controller.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { JobFacts } from '../../src/protocol/job-facts.ts'
import type { PartEnvironment } from '../testbed/part.ts'
import { FakeLink, runningFacts } from './fake-link.ts'
import { KubeProxy, type ProxiedRequest } from './kube/kube-proxy.ts'
import { testController } from './run-test-controller.ts'
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
  const ends: Promise<void>[] = []
  const alive = new Set<Controller>()

  const start = async (): Promise<void> => {
    const proxy = await KubeProxy.start(environment)
    const controller = controllerOf(proxy, namespace, link)
    proxy.fault = request => {
      if (!isWrite(request)) return undefined
      writes.push(`${request.method} ${shortened(request.path, namespace)}`)
      if (writes.length !== crashAt) return undefined
      // The write is on its way: what comes after it is not.
      proxy.fault = () => 'busy'
      queueMicrotask(() => void crash(controller))
      return 'lost'
    }
    alive.add(controller)
    ends.push(run(controller, proxy))
  }
  const run = async (controller: Controller, proxy: KubeProxy): Promise<void> => {
    await controller.run()
    await proxy.close()
    // One that was too slow to keep its lease ends, and is started again as any pod.
    if (alive.delete(controller)) await start()
  }
  const crash = async (controller: Controller): Promise<void> => {
    alive.delete(controller)
    controller.stop()
    await start()
  }

  await start()
  const world = { cluster, namespace, watching, link, pods }
  const end = await story(world)
  for (const controller of alive) {
    alive.delete(controller)
    controller.stop()
  }
  await Promise.all(ends)
  stopKubelet()
  await watching.end()
  return { end, writes }
}

function controllerOf(proxy: KubeProxy, namespace: string, link: FakeLink): Controller {
  return testController({ config: { namespace }, link, connection: proxy.config })
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
  const tell = async (pod: PodObject): Promise<void> => {
    const { metadata } = pod
    const { name, uid = '', deletionTimestamp, labels = {} } = metadata
    const role = labels['weir.dev/role']
    const facts = link.said.get(labels['weir.dev/job'] ?? '')
    const isStopped = role === 'jobmanager' && facts !== undefined && hasEnded(facts, labels)
    const what =
      deletionTimestamp !== undefined ? 'gone' : verbs.has(role) || isStopped ? 'ended' : 'runs'
    if (isOver || told.has(`${uid} ${what}`)) return
    told.add(`${uid} ${what}`)
    const word = JSON.stringify(facts ?? runningFacts)
    try {
      if (what === 'runs') await teller.say(name, 'Running')
      else if (what === 'ended') await teller.say(name, 'Succeeded', { code: 0, word })
      else await client.remove({ namespace, name }, { uid, graceSeconds: 0 })
    } catch (error) {
      // One that is gone meanwhile needs nothing said.
      if (isKubeError(error, 'WEIR_KUBE_NOT_FOUND')) return
      told.delete(`${uid} ${what}`)
      await tell(pod)
    }
  }
  const look = (): void => {
    for (const pod of pods.cache.all()) void tell(pod)
  }
  pods.cache.onChange(look)
  link.onChange(look)
  look()
  return () => {
    isOver = true
  }
}

const verbs = new Set<string | undefined>(['verb', 'plan'])

/** By an order to this epoch, whose number its name has. */
function hasEnded({ status, stop }: JobFacts, labels: Readonly<Record<string, string>>): boolean {
  const order = new RegExp(`-${labels['weir.dev/epoch']}-(delete-)?\\d+$`)
  return status === 'stopped' && order.test(stop?.id ?? '')
}
