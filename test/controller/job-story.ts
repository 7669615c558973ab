/**
 * Tells a story with real controllers on a real API server: what people do to jobs, while something
 * strikes the requests of the controller at work. Whichever ends is followed by another one.
 */
import type { Clock } from '../../src/common/clock.ts'
import type { LeaseTimes } from '../../src/controller/kube/lease.ts'
import { type ResourceKind, resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { Controller } from '../../src/controller/run-controller.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import type { PartEnvironment } from '../testbed/part.ts'
import { FakeLink } from './fake-link.ts'
import { JobGuard } from './job-guard.ts'
import { JobKubelet } from './job-kubelet.ts'
import { type KubeFaultOf, KubeProxy } from './kube/kube-proxy.ts'
import { testController, testLeaseTimes } from './run-test-controller.ts'
import type { TestCluster } from './test-cluster.ts'
import { type Seen, type Watching, watcherOf } from './test-watch.ts'

/** A namespace with jobmanagers, a kubelet, and controllers that come and go. */
export interface StoryWorld {
  readonly cluster: TestCluster
  readonly namespace: string
  readonly watching: Watching
  /** Jobmanagers outlive controllers. */
  readonly link: FakeLink
  readonly kubelet: JobKubelet
  readonly jobs: Seen<StreamJobObject>
  readonly pods: Seen<PodObject>
}

/** What people do, up to the end. What it gives is to be the same in every run. */
export type Story = (world: StoryWorld) => Promise<unknown>

/** A controller of the story. */
export interface Life {
  readonly proxy: KubeProxy
  /** As by a kill: nothing of what it does from now on reaches anybody. */
  die(): void
}

export interface StoryOptions {
  readonly cluster: TestCluster
  readonly environment: PartEnvironment
  readonly story: Story
  readonly tenancy?: boolean
  /** What is done to the requests of a controller that begins. */
  readonly strike: (life: Life, namespace: string) => KubeFaultOf
  readonly times?: LeaseTimes
  /** Of the controllers. */
  readonly clock?: Clock
}

export interface Told {
  /** What the story gave. */
  readonly end: unknown
  /** What held not at all times. */
  readonly broken: readonly string[]
  /** Objects that nothing would take away with their job. */
  readonly orphans: readonly string[]
}

export async function tell(options: StoryOptions): Promise<Told> {
  const { cluster, story } = options
  const namespace = await cluster.namespace()
  await cluster.defaultAccount(namespace)
  const watching = watcherOf(cluster, namespace)
  const pods = watching.watch<PodObject>(resourceKinds.pod)
  const jobs = watching.watch<StreamJobObject>(resourceKinds.streamJob)
  const link = new FakeLink()
  const guard = new JobGuard(jobs, pods, link)
  const kubelet = new JobKubelet({ cluster, namespace, pods, link })
  const controllers = new Controllers(options, namespace, link)
  await controllers.begin()
  try {
    const end = await story({ cluster, namespace, watching, link, kubelet, jobs, pods })
    return { end, broken: guard.broken, orphans: await orphansIn(cluster, namespace) }
  } finally {
    await controllers.end()
    kubelet.end()
    await watching.end()
  }
}

class Controllers {
  readonly #options: StoryOptions
  readonly #namespace: string
  readonly #link: FakeLink
  readonly #alive = new Set<Controller>()
  readonly #ends: Promise<void>[] = []

  constructor(options: StoryOptions, namespace: string, link: FakeLink) {
    this.#options = options
    this.#namespace = namespace
    this.#link = link
  }

  async begin(): Promise<void> {
    const proxy = await KubeProxy.start(this.#options.environment)
    const controller = this.#make(proxy)
    const die = (): void => {
      // The write is on its way: what comes after it is not.
      proxy.fault = () => 'busy'
      queueMicrotask(() => void this.#crash(controller))
    }
    proxy.fault = this.#options.strike({ proxy, die }, this.#namespace)
    this.#alive.add(controller)
    this.#ends.push(this.#run(controller, proxy))
  }

  async end(): Promise<void> {
    for (const controller of this.#alive) {
      this.#alive.delete(controller)
      controller.stop()
    }
    // Those that begin meanwhile would be told to end as well, but none does.
    await Promise.all(this.#ends)
  }

  async #run(controller: Controller, proxy: KubeProxy): Promise<void> {
    await controller.run()
    await proxy.close()
    // One that was too slow to keep its lease ends, and is started again as any pod.
    if (this.#alive.delete(controller)) await this.begin()
  }

  async #crash(controller: Controller): Promise<void> {
    this.#alive.delete(controller)
    controller.stop()
    await this.begin()
  }

  #make(proxy: KubeProxy): Controller {
    const { tenancy = false, times = testLeaseTimes, clock } = this.#options
    const namespace = this.#namespace
    return testController({
      config: { namespace, tenancy },
      connection: proxy.config,
      link: this.#link,
      times,
      ...(clock && { host: { clock } }),
    })
  }
}

const owned: readonly ResourceKind[] = [
  resourceKinds.pod,
  resourceKinds.configMap,
  resourceKinds.secret,
  resourceKinds.service,
  resourceKinds.podDisruptionBudget,
  resourceKinds.networkPolicy,
  resourceKinds.controllerRevision,
]

const ofWeir = 'app.kubernetes.io/managed-by=weir'

/** What goes with its owner names it by its uid. */
export async function orphansIn(
  cluster: TestCluster,
  namespace: string,
): Promise<readonly string[]> {
  const orphans: string[] = []
  for (const kind of owned) {
    const { items } = await cluster.client(kind).list({ namespace, selector: ofWeir })
    for (const { metadata } of items) {
      const owner = metadata.ownerReferences?.find(one => one.controller === true)
      if (owner === undefined || owner.uid === '') orphans.push(`${kind.kind} ${metadata.name}`)
    }
  }
  return orphans
}
