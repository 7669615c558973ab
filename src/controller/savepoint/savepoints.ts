/** The controller of Savepoints: those of people, and those that jobs ask for themselves. */
import type { Clock } from '../../common/clock.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import type { EventWords } from '../kube/event-series.ts'
import { kindWatcher, type Watch, type Watched, type WatcherOptions } from '../kube/kind-watcher.ts'
import { type KubeObject, keyOf } from '../kube/kube-object.ts'
import { resourceKinds } from '../kube/resource-kind.ts'
import { type WorkFigures, WorkLoop } from '../kube/work-loop.ts'
import { WorkQueue } from '../kube/work-queue.ts'
import type { FactsPoller } from '../link/facts-poller.ts'
import type { JobLink } from '../link/job-link.ts'
import type { NamespaceAccess } from '../namespace-access.ts'
import { sayFailures } from '../say-failures.ts'
import type { JobWorld } from '../streamjob/job-world.ts'
import { jobKeyOf, reconcileJobSavepoints } from './reconcile-job-savepoints.ts'
import { reconcileSavepoint, SAVEPOINT_MANAGER } from './reconcile-savepoint.ts'
import type { SavepointObject } from './savepoint-object.ts'

export interface SavepointsOptions {
  readonly watching: WatcherOptions
  readonly world: JobWorld
  /** `undefined`: what it may, it may already. */
  readonly access: NamespaceAccess | undefined
  readonly link: JobLink
  readonly poller: FactsPoller
  readonly record: (object: KubeObject, words: EventWords) => void
  readonly observe: (controller: string) => (figures: WorkFigures) => void
  readonly onEnded: (result: 'completed' | 'failed', seconds: number) => void
}

const PASSES_AT_ONCE = 8

interface Line {
  readonly controller: string
  readonly queue: WorkQueue
  readonly loop: WorkLoop
}

export class Savepoints {
  readonly savepoints: Watched<SavepointObject>
  readonly watches: readonly Watch[]
  readonly lines: readonly [Line, Line]
  readonly #options: SavepointsOptions

  constructor(options: SavepointsOptions) {
    this.#options = options
    const { watching, world, access, link, poller, record, onEnded } = options
    const { clock } = watching
    const indexOf = ({ metadata }: KubeObject) => metadata.namespace
    const { watched, watches } = kindWatcher(watching, { manager: SAVEPOINT_MANAGER, indexOf })
    const savepoints = watched<SavepointObject>(resourceKinds.savepoint)
    this.savepoints = savepoints
    this.watches = watches
    const parts = { world, savepoints, link, poller, clock, record, onEnded }
    const reconcile = reconcileSavepoint(parts)
    const { mayWrite } = world
    const said = { objects: savepoints, manager: SAVEPOINT_MANAGER, mayWrite, clock, record }
    const pass = access?.before(reconcile, savepoints.cache) ?? reconcile
    this.lines = [
      this.#line('savepoint', sayFailures(pass, said)),
      this.#line('savepoint-schedule', reconcileJobSavepoints({ world, savepoints, clock })),
    ]
  }

  #line(controller: string, reconcile: ReturnType<typeof reconcileSavepoint>): Line {
    const { watching, observe } = this.#options
    const { clock, random, logger }: { clock: Clock; random: Random; logger: Logger } = watching
    const queue = new WorkQueue(clock)
    const parts = { reconcile, clock, random, logger, observe: observe(controller) }
    return { controller, queue, loop: new WorkLoop({ ...parts, queue, atOnce: PASSES_AT_ONCE }) }
  }

  /** Leads from now on; comes back when both queues are closed. */
  async run(): Promise<void> {
    this.#wake()
    await Promise.all(this.lines.map(({ loop }) => loop.run()))
  }

  #wake(): void {
    const { world } = this.#options
    const [{ queue }, { queue: jobQueue }] = this.lines
    this.savepoints.cache.onChange(change => {
      queue.add(change.key, change.kind === 'gone' ? 'event' : 'user')
      const object = change.kind === 'set' ? change.now : change.before
      const job = jobKeyOf(object)
      if (job !== undefined) jobQueue.add(job, 'event')
    })
    // Whether it runs, what it needs, what it asks for.
    world.jobs.cache.onChange(({ key, ...change }) => {
      jobQueue.add(key, 'event')
      const { metadata } = change.kind === 'set' ? change.now : change.before
      for (const one of this.savepoints.cache.group(metadata.namespace ?? '')) {
        if (isConcerned(one, key)) queue.add(keyOf(one.metadata), 'event')
      }
    })
    for (const { cache } of [world.pods, world.configMaps]) {
      cache.onChange(change => {
        const { metadata } = change.kind === 'set' ? change.now : change.before
        const owner = metadata.ownerReferences?.find(one => one.kind === 'Savepoint')
        if (owner === undefined) return
        queue.add(keyOf({ namespace: metadata.namespace, name: owner.name }), 'event')
      })
    }
    for (const { metadata } of this.savepoints.cache.all()) queue.add(keyOf(metadata), 'resync')
    for (const { metadata } of world.jobs.cache.all()) jobQueue.add(keyOf(metadata), 'resync')
  }
}

/** Any job of the namespace may need files; only its own matters to one that has none yet. */
function isConcerned(savepoint: SavepointObject, jobKey: string): boolean {
  return savepoint.status?.path !== undefined || jobKeyOf(savepoint) === jobKey
}
