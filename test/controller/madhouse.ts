/** A namespace with a controller whose writes are counted, jobs, and who plays their kubelet. */
import { expect } from '@jest/globals'
import { SystemClock } from '../../src/common/clock.ts'
import type { Logger } from '../../src/common/logger.ts'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import type { PartEnvironment } from '../testbed/part.ts'
import { FakeLink, runningFacts } from './fake-link.ts'
import { JobKubelet } from './job-kubelet.ts'
import { orphansIn } from './job-story.ts'
import { KubeProxy } from './kube/kube-proxy.ts'
import { HUSH } from './mad-hands.ts'
import { type RunningController, runTestController } from './run-test-controller.ts'
import type { TestCluster } from './test-cluster.ts'
import { type Seen, type Watching, watcherOf } from './test-watch.ts'

/** What has not come to rest by then never will, or is too slow. */
const REST_LIMIT_MS = 25_000
const proven = { ...runningFacts, checkpoints: { ...runningFacts.checkpoints, completed: 2 } }

export class Madhouse {
  readonly namespace: string
  /** Of the controller: `VERB path`. */
  readonly writes: string[] = []
  readonly #cluster: TestCluster
  readonly #proxy: KubeProxy
  readonly #watching: Watching
  readonly #link = new FakeLink()
  readonly #jobs: Seen<StreamJobObject>
  readonly #events: Seen<KubeObject>
  readonly #kubelet: JobKubelet
  readonly #running: RunningController
  /** What went wrong. */
  readonly #log: object[] = []

  private constructor(cluster: TestCluster, proxy: KubeProxy, namespace: string) {
    this.#cluster = cluster
    this.#proxy = proxy
    this.namespace = namespace
    this.#watching = watcherOf(cluster, namespace)
    const pods = this.#watching.watch<PodObject>(resourceKinds.pod)
    this.#jobs = this.#watching.watch<StreamJobObject>(resourceKinds.streamJob)
    this.#events = this.#watching.watch(resourceKinds.event)
    const link = this.#link
    this.#kubelet = new JobKubelet({ cluster, namespace, pods, link })
    proxy.fault = ({ method, path }) => {
      const isNews = path.includes('/leases') || path.includes('/events')
      if (method !== 'GET' && !isNews) this.writes.push(`${method} ${path.split('?')[0]}`)
      return undefined
    }
    const note = (fields: object): void => void this.#log.push(fields)
    const quiet = (): void => {}
    const logger: Logger = {
      debug: quiet,
      info: quiet,
      warn: note,
      error: note,
      child: () => logger,
    }
    const connection = proxy.config
    const config = { namespace }
    this.#running = runTestController({ config, connection, link, logger })
  }

  static async open(cluster: TestCluster, environment: PartEnvironment): Promise<Madhouse> {
    const namespace = await cluster.namespace()
    await cluster.defaultAccount(namespace)
    return new Madhouse(cluster, await KubeProxy.start(environment), namespace)
  }

  async create(name: string): Promise<void> {
    const { namespace } = this
    this.#link.said.set(name, proven)
    await this.#cluster.client<StreamJobObject>(resourceKinds.streamJob).create({
      apiVersion: 'weir.dev/v1alpha1',
      kind: 'StreamJob',
      metadata: { namespace, name },
      spec: { job: { module: 'a.ts' }, checkpoint: { storage: 's3://bucket/prefix' } },
    })
  }

  /** As the API server has it. */
  async job(name: string): Promise<StreamJobObject> {
    const { namespace } = this
    const jobs = this.#cluster.client<StreamJobObject>(resourceKinds.streamJob)
    const found = await jobs.get({ namespace, name })
    if (found === undefined) throw new Error(`${name} is gone`)
    return found
  }

  /** It runs, rests, has ended, or says what a person has to do. */
  async restOf(name: string): Promise<void> {
    const rest = this.#jobs.until(all => {
      const found = all.find(one => one.metadata.name === name)
      return found !== undefined && isAtRest(found) ? true : undefined
    })
    const limit = Promise.withResolvers<true>()
    const timer = new SystemClock().schedule(REST_LIMIT_MS, () => {
      const { status } = this.#jobs.cache.get(`${this.namespace}/${name}`) ?? {}
      const own = this.writes.filter(one => one.includes(`/${name}`)).slice(-8)
      const isOf = (one: object): boolean => JSON.stringify(one).includes(`/${name}"`)
      const failed = [...this.#log.filter(isOf).slice(-2), ...this.#log.slice(-3)]
      const about = JSON.stringify({ status, own, failed }, undefined, 1)
      limit.reject(new Error(`${name} comes to no rest: ${about}`))
    })
    await Promise.race([rest, limit.promise])
    timer.cancel()
  }

  /** What was done before is known to the controller once a later job has come to run. */
  async sentinel(name: string): Promise<void> {
    await this.create(name)
    await this.restOf(name)
  }

  /** Nothing is written for those that rest; nothing tells what was whispered, or is left behind. */
  async close(names: readonly string[]): Promise<void> {
    for (const name of names) await this.restOf(name)
    await this.sentinel('before')
    const before = this.writes.length
    await this.sentinel('after')
    const idle = this.writes.slice(before).filter(write => !/\/(after|before)\b/.test(write))
    // What the second sentinel itself is made of: paths of new objects do not say whose they are.
    expect(idle.map(write => write.replace(/^(\S+) .*\//, '$1 '))).toEqual([
      'POST controllerrevisions',
      'POST secrets',
      'POST pods',
      'POST pods',
    ])
    const told = this.#jobs.cache.all().map(({ status }) => status)
    expect(JSON.stringify([told, this.#events.cache.all()])).not.toContain(HUSH)
    expect(await orphansIn(this.#cluster, this.namespace)).toEqual([])
    expect(await this.#running.stop()).toBe(0)
    this.#kubelet.end()
    await this.#watching.end()
    await this.#proxy.close()
  }
}

function isAtRest({ metadata, status }: StreamJobObject): boolean {
  const { conditions = [], upgrade, observedGeneration, phase } = status ?? {}
  if (observedGeneration !== metadata.generation) return false
  const holds = (type: string): boolean =>
    conditions.some(one => one.type === type && one.status === 'True')
  if (holds('Stalled')) return true
  const isOver = phase === 'Suspended' || phase === 'Finished' || phase === 'Failed'
  return upgrade === undefined && !holds('Reconciling') && (holds('Ready') || isOver)
}
