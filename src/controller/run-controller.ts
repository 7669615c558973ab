/**
 * The controller process from its start to its end: watches, stands by, leads, serves its probes.
 * It holds nothing that a successor could not find in the cluster: who loses the lease ends, and
 * outside of a cluster another begins in its place.
 */
import { assertDefined } from '../common/assert.ts'
import type { Clock } from '../common/clock.ts'
import { readConfig } from '../common/config.ts'
import { messageOf } from '../common/errors.ts'
import { type Logger, makeLogger } from '../common/logger.ts'
import type { Random } from '../common/random.ts'
import { ControllerMetrics } from '../observability/controller-metrics.ts'
import { type ControllerConfig, readControllerConfig } from './controller-config.ts'
import { ControllerFigures, type Looked, type LookedLoop } from './controller-figures.ts'
import { CrdGate } from './crd-gate.ts'
import { EventRecorder } from './kube/event-recorder.ts'
import type { Watch } from './kube/kind-watcher.ts'
import { KubeClient } from './kube/kube-client.ts'
import { type ConfigHost, isOfPod, type KubeConfig, readKubeConfig } from './kube/kube-config.ts'
import type { KubeTransport } from './kube/kube-transport.ts'
import { LeaderElection } from './kube/leader-election.ts'
import { type Lease, type LeaseTimes, leaseTimes } from './kube/lease.ts'
import { openTransport } from './kube/open-transport.ts'
import { startProbeServer } from './kube/probe-server.ts'
import { resourceKinds } from './kube/resource-kind.ts'
import { ServerClock } from './kube/server-clock.ts'
import { WorkLoop } from './kube/work-loop.ts'
import { WorkQueue } from './kube/work-queue.ts'
import { FactsPoller } from './link/facts-poller.ts'
import type { JobLink } from './link/job-link.ts'
import { readMasterKeys } from './link/master-keys.ts'
import { TlsJobLink } from './link/tls-job-link.ts'
import { NamespaceAccess } from './namespace-access.ts'
import { Savepoints } from './savepoint/savepoints.ts'
import { sayFailures } from './say-failures.ts'
import { servedCrds } from './served-crds.ts'
import { MANAGER } from './streamjob/job-names.ts'
import { type JobWorld, makeJobWorld } from './streamjob/job-world.ts'
import { reconcileJob } from './streamjob/reconcile-job.ts'
import { wakeJobs } from './streamjob/wake-jobs.ts'
import { Tenancy } from './tenancy/tenancy.ts'
import { makeTenantWorld, type TenantWorld } from './tenancy/tenant-world.ts'

export interface ControllerHost extends ConfigHost {
  readonly log: (line: string) => void
  readonly clock: Clock
  readonly random: Random
  readonly onTerm: (callback: () => void) => void
}

const LEASE = 'weir-controller'
/** A pass waits for the API server most of its time: with a third of these that has breaks. */
const PASSES_AT_ONCE = 48
/** No pass takes so long unless something is broken. */
const STUCK_MS = 120_000

/**
 * Gives the exit code of the process. Outside of a cluster it outlives the loss of its lease: the
 * next {@link Controller} knows nothing of the one before.
 */
export async function runController(host: ControllerHost): Promise<number> {
  const { logLevel } = readConfig(host.environment)
  const logger = makeLogger({ level: logLevel, write: line => host.log(line) })
  try {
    const config = readControllerConfig(host.environment)
    const connection = readKubeConfig(host)
    const masterKeys = readMasterKeys(host.environment, host.random)
    const { clock, random } = host
    let isTold = false
    let stop = (): void => {}
    host.onTerm(() => {
      isTold = true
      stop()
    })
    const onTerm = (callback: () => void): void => {
      stop = callback
    }
    for (;;) {
      const one = { clock, random, onTerm }
      const code = await new Controller({ config, connection, masterKeys, host: one, logger }).run()
      // A pod is started again by its kubelet; elsewhere nobody does.
      if (code === 0 || isTold || isOfPod(host)) return code
      logger.warn({}, 'stands by again')
    }
  } catch (error) {
    logger.error({ err: error, message: messageOf(error) }, 'the controller cannot go on')
    return 1
  }
}

export interface ControllerOptions {
  readonly config: ControllerConfig
  readonly connection: KubeConfig
  /** The newest first; at least one. */
  readonly masterKeys: readonly string[]
  readonly host: Pick<ControllerHost, 'clock' | 'random' | 'onTerm'>
  readonly logger: Logger
  readonly times?: LeaseTimes
  /** How jobmanagers are asked; absent: over the network. */
  readonly link?: JobLink
  /** Its probes are served there. */
  readonly onServing?: (url: string) => void
}

export class Controller {
  readonly #options: ControllerOptions
  readonly #stop = new AbortController()
  readonly #figures = new ControllerFigures(new ControllerMetrics())
  readonly #clock: ServerClock
  readonly #transport: KubeTransport
  readonly #disconnect: () => Promise<void>
  readonly #identity: string
  readonly #gate: CrdGate
  readonly #queue: WorkQueue
  readonly #world: JobWorld
  readonly #tenants: TenantWorld | undefined
  readonly #access: NamespaceAccess | undefined
  readonly #tenancy: Tenancy | undefined
  readonly #recorder: EventRecorder
  readonly #warmPoller: FactsPoller
  readonly #poller: FactsPoller
  readonly #savepoints: Savepoints
  readonly #loop: WorkLoop
  readonly #election: LeaderElection
  #working: Promise<unknown> = Promise.resolve()
  #isReady = false
  #hasLost = false

  constructor(options: ControllerOptions) {
    this.#options = options
    const { config, connection, host, logger } = options
    const { random } = host
    const figures = this.#figures
    const clock = this.#clockOfServer()
    this.#clock = clock
    const opened = openTransport({
      config: connection,
      clock,
      observe: request => {
        clock.heard(request)
        figures.request(request)
      },
    })
    const { transport } = opened
    this.#transport = transport
    this.#disconnect = () => opened.dispatcher.destroy()
    this.#identity = `${config.hostName}-${random.uuid()}`
    this.#gate = new CrdGate({
      served: () => servedCrds(transport),
      clock,
      logger,
      observe: figures.crd,
    })
    this.#queue = new WorkQueue(clock)
    const watching = {
      transport,
      namespaces: config.watchNamespaces,
      isGranting: config.grant !== undefined,
      mayWrite: () => this.#election.check(),
      clock,
      random,
      logger,
      onRestart: figures.restart,
      onMissed: figures.missed,
    }
    this.#world = makeJobWorld(watching)
    this.#tenants = config.tenancy ? makeTenantWorld(watching) : undefined
    this.#recorder = new EventRecorder({
      client: new KubeClient(transport, resourceKinds.event),
      controller: 'weir.dev/controller',
      instance: this.#identity.slice(0, 120),
      clock,
      random,
      logger,
    })
    const { masterKeys } = options
    const link = options.link ?? new TlsJobLink({ masterKeys, clock, observe: figures.link })
    const onHeard = (key: string): void => this.#queue.add(key, 'resync')
    this.#poller = new FactsPoller({ link, clock, random, onHeard })
    this.#warmPoller = new FactsPoller({ link, clock, random, onHeard })
    this.#access = this.#makeAccess()
    this.#savepoints = new Savepoints({
      watching,
      world: this.#world,
      access: this.#access,
      link,
      poller: this.#poller,
      record: this.#recorder.record,
      observe: controller => figures.passOf(controller),
      onEnded: figures.savepoint,
    })
    this.#tenancy = this.#makeTenancy()
    this.#loop = this.#makeLoop(link)
    this.#election = this.#makeElection()
  }

  #clockOfServer(): ServerClock {
    const { host, logger } = this.#options
    return new ServerClock(host.clock, skewMs => {
      this.#figures.skew(skewMs)
      logger.warn({ skewMs }, 'this clock is not that of the API server, which is taken instead')
    })
  }

  #makeTenancy(): Tenancy | undefined {
    const { config, host, logger } = this.#options
    const world = this.#tenants
    if (world === undefined) return undefined
    return new Tenancy({
      world,
      jobs: this.#world.jobs,
      access: this.#access,
      userRoles: config.userRoles,
      clock: this.#clock,
      random: host.random,
      logger,
      record: this.#recorder.record,
      observe: this.#figures.passOf('streamtenant'),
    })
  }

  #makeLoop(link: JobLink): WorkLoop {
    const { config, host, logger, masterKeys } = this.#options
    const clock = this.#clock
    const { random } = host
    const reconcile = reconcileJob({
      world: this.#world,
      savepoints: this.#savepoints.savepoints.cache,
      ledger: this.#tenancy?.ledger,
      engineImage: config.engineImage,
      namespace: config.namespace,
      masterKey: assertDefined(masterKeys[0], 'there is a master key'),
      link,
      poller: this.#poller,
      warmPoller: this.#warmPoller,
      clock,
      record: this.#recorder.record,
      observe: this.#figures.upgrade,
    })
    const { jobs, mayWrite } = this.#world
    return new WorkLoop({
      queue: this.#queue,
      reconcile: sayFailures(this.#access?.before(reconcile, jobs.cache) ?? reconcile, {
        objects: jobs,
        manager: MANAGER,
        mayWrite,
        clock,
        record: this.#recorder.record,
      }),
      atOnce: PASSES_AT_ONCE,
      clock,
      random,
      logger,
      observe: this.#figures.passOf('streamjob'),
    })
  }

  #makeAccess(): NamespaceAccess | undefined {
    const { grant, namespace } = this.#options.config
    const { bindings } = this.#world
    if (grant === undefined || bindings === undefined) return undefined
    const roles = new KubeClient(this.#transport, resourceKinds.clusterRole)
    return new NamespaceAccess({ grant, namespace, bindings, roles })
  }

  #makeElection(): LeaderElection {
    const { config, host, logger, times = leaseTimes } = this.#options
    return new LeaderElection({
      client: new KubeClient<Lease>(this.#transport, resourceKinds.lease),
      namespace: config.namespace,
      name: LEASE,
      identity: this.#identity,
      times,
      clock: this.#clock,
      random: host.random,
      logger,
      onLeading: () => {
        wakeJobs(this.#world, this.#savepoints.savepoints.cache, this.#queue)
        const tenancy = this.#tenancy?.run(this.#queue, this.#stop.signal)
        this.#working = Promise.all([this.#loop.run(), this.#savepoints.run(), tenancy])
      },
      onLost: error => {
        this.#hasLost = true
        this.#endLoops(error)
        this.#stop.abort(error)
      },
    })
  }

  #endLoops(reason: Error): void {
    for (const { loop } of this.#loops) loop.stop(reason)
  }

  get #loops(): readonly LookedLoop[] {
    const jobs = { controller: 'streamjob', queue: this.#queue, loop: this.#loop }
    const lines = [jobs, ...this.#savepoints.lines]
    const tenancy = this.#tenancy
    if (tenancy === undefined) return lines
    return [...lines, { controller: 'streamtenant', queue: tenancy.queue, loop: tenancy.loop }]
  }

  get #watches(): readonly Watch[] {
    return [...this.#world.watches, ...this.#savepoints.watches, ...(this.#tenants?.watches ?? [])]
  }

  /** Comes back when it was told to end (0), or no longer leads (1). */
  async run(): Promise<number> {
    const { config, host, onServing } = this.#options
    const reflectors = this.#watches.map(({ reflector }) => reflector)
    const server = await startProbeServer({
      ...config.probes,
      isAlive: () => this.#loops.every(({ loop }) => loop.longestMs < STUCK_MS),
      hindrance: () => (this.#isReady ? undefined : (this.#gate.hindrance ?? 'not yet')),
      metrics: () => this.#figures.text(this.#looked),
    })
    onServing?.(server.url)
    host.onTerm(() => this.stop())
    const watching = reflectors.map(reflector => reflector.run())
    await this.#warm()
    if (!this.#stop.signal.aborted) await this.#stand()
    for (const reflector of reflectors) reflector.stop()
    await Promise.all([...watching, this.#recorder.written])
    await server.close()
    await this.#disconnect()
    return this.#hasLost ? 1 : 0
  }

  /** As a candidate, and then as the leader, until the end. */
  async #stand(): Promise<void> {
    const standing = this.#election.run()
    const { signal } = this.#stop
    void this.#gate.closed(signal).then(() => {
      if (signal.aborted) return
      this.#hasLost = true
      this.stop()
    })
    await this.#stopped()
    // The last pass ends before another controller may lead.
    this.#endLoops(new Error('the controller stops'))
    this.#poller.stop()
    this.#warmPoller.stop()
    await this.#working
    this.#election.stop()
    await standing
  }

  stop(): void {
    this.#stop.abort(new Error('told to end'))
  }

  #stopped(): Promise<void> {
    const { signal } = this.#stop
    return new Promise(resolve => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** A standby knows the cluster as well as the leader does. */
  async #warm(): Promise<void> {
    await this.#gate.opened(this.#stop.signal)
    const all = this.#watches.map(({ reflector }) => reflector.synced)
    await Promise.race([Promise.all(all), this.#stopped()])
    this.#isReady = !this.#stop.signal.aborted
  }

  get #looked(): Looked {
    return {
      watches: this.#watches,
      loops: this.#loops,
      jobs: this.#world.jobs.cache,
      savepoints: this.#savepoints.savepoints.cache,
      poller: this.#poller,
      tenancy: this.#tenancy,
      election: this.#election,
    }
  }
}
