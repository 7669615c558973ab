/**
 * The controller of StreamTenants: which namespaces are whose, what is in them, and who of their
 * jobs may run.
 */
import type { Clock } from '../../common/clock.ts'
import { messageOf } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import { Alarm } from '../kube/alarm.ts'
import type { EventWords } from '../kube/event-series.ts'
import { type KubeObject, keyOf } from '../kube/kube-object.ts'
import type { ObjectChange } from '../kube/object-cache.ts'
import { type WorkFigures, WorkLoop } from '../kube/work-loop.ts'
import { WorkQueue } from '../kube/work-queue.ts'
import type { NamespaceAccess } from '../namespace-access.ts'
import { sayFailures } from '../say-failures.ts'
import type { JobWorld } from '../streamjob/job-world.ts'
import { QuotaLedger } from './quota-ledger.ts'
import { reconcileTenant } from './reconcile-tenant.ts'
import { TenantDirectory } from './tenant-directory.ts'
import { TENANCY_MANAGER } from './tenant-objects.ts'
import { type TenantWorld, tenantNameOf } from './tenant-world.ts'

export interface TenancyOptions {
  readonly world: TenantWorld
  readonly jobs: JobWorld['jobs']
  /** `undefined`: it may write everywhere. */
  readonly access: NamespaceAccess | undefined
  readonly userRoles: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly record: (object: KubeObject, words: EventWords) => void
  readonly observe: (figures: WorkFigures) => void
}

const PASSES_AT_ONCE = 4
/** Sums change with each job that comes or goes: one write of them is enough. */
const USAGE_DELAY_MS = 500
const COMPARE_AGAIN_MS = 1_000

export class Tenancy {
  readonly ledger: QuotaLedger
  readonly directory = new TenantDirectory()
  readonly queue: WorkQueue
  readonly loop: WorkLoop
  readonly #options: TenancyOptions

  constructor(options: TenancyOptions) {
    this.#options = options
    const { world, jobs, clock, random, logger, observe, record } = options
    const { directory } = this
    this.queue = new WorkQueue(clock)
    world.tenants.cache.onChange(change => directory.followTenants(change))
    world.namespaces.cache.onChange(change => directory.followNamespaces(change))
    this.ledger = new QuotaLedger(directory)
    jobs.cache.onChange(change => this.ledger.followJobs(change))
    const reconcile = reconcileTenant({ ...options, directory, ledger: this.ledger })
    const { tenants: objects, mayWrite } = world
    this.loop = new WorkLoop({
      queue: this.queue,
      reconcile: sayFailures(reconcile, {
        objects,
        manager: TENANCY_MANAGER,
        mayWrite,
        clock,
        record,
      }),
      atOnce: PASSES_AT_ONCE,
      clock,
      random,
      logger,
      observe,
    })
  }

  /** Leads from now on; comes back when the queue is closed. */
  async run(jobQueue: WorkQueue, signal: AbortSignal): Promise<void> {
    this.#wakeTenants()
    this.#wakeJobs(jobQueue)
    const working = this.loop.run()
    await this.#open(signal)
    await working
  }

  #wakeTenants(): void {
    const { queue } = this
    const { world } = this.#options
    world.tenants.cache.onChange(change => {
      queue.add(change.key, 'user')
      this.ledger.wake(change.key)
    })
    const ofTenant = (change: ObjectChange<KubeObject>): void => {
      const both = [change.before, change.kind === 'set' ? change.now : undefined]
      for (const object of both) {
        const name = object === undefined ? undefined : tenantNameOf(object)
        if (name !== undefined) queue.add(name, 'event')
      }
    }
    world.namespaces.cache.onChange(ofTenant)
    for (const watched of Object.values(world.objects)) watched.cache.onChange(ofTenant)
    for (const { name } of this.directory.tenants()) queue.add(name, 'resync')
  }

  #wakeJobs(jobQueue: WorkQueue): void {
    const { jobs } = this.#options
    this.ledger.follow({
      onRoom: keys => keys.forEach(key => jobQueue.add(key, 'event')),
      onUsage: tenant => this.queue.addAfter(tenant, USAGE_DELAY_MS),
    })
    this.directory.onChange((namespace, tenants) => {
      for (const name of tenants) this.queue.add(name, 'event')
      for (const { metadata } of jobs.cache.all()) {
        if (metadata.namespace === namespace) jobQueue.add(keyOf(metadata), 'resync')
      }
    })
  }

  /** L2 of the ledger: what an earlier leader wrote last may still be on its way to the caches. */
  async #open(signal: AbortSignal): Promise<void> {
    const { world, jobs, clock, logger } = this.#options
    while (!signal.aborted) {
      try {
        for (const one of [world.tenants, world.namespaces]) await one.reflector.audit()
        // Without tenants there is no quota that jobs could exceed.
        if (this.directory.tenants().length > 0) await jobs.reflector.audit()
        return this.ledger.open()
      } catch (error) {
        logger.warn({ message: messageOf(error) }, 'no job is admitted yet')
        await new Alarm(clock, signal).sleep(COMPARE_AGAIN_MS)
      }
    }
  }
}
