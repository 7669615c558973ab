/** Turns what happens in the controller into its metrics. */
import type { ControllerMetrics } from '../observability/controller-metrics.ts'
import type { RequestFigures } from './kube/kube-transport.ts'
import type { LeaderElection } from './kube/leader-election.ts'
import type { WorkFigures, WorkLoop } from './kube/work-loop.ts'
import { priorities, type WorkQueue } from './kube/work-queue.ts'
import type { UpgradeFigure } from './streamjob/job-decision.ts'
import type { FactsPoller } from './link/facts-poller.ts'
import type { LinkFigures } from './link/tls-job-link.ts'
import type { JobWorld } from './streamjob/job-world.ts'

export interface Looked {
  readonly world: JobWorld
  readonly queue: WorkQueue
  readonly loop: WorkLoop
  readonly poller: FactsPoller
  readonly election: LeaderElection
}

const controller = 'streamjob'

export class ControllerFigures {
  readonly #metrics: ControllerMetrics
  readonly #seen = new Map<string, Readonly<Record<string, string>>>()

  constructor(metrics: ControllerMetrics) {
    this.#metrics = metrics
  }

  readonly request = ({ verb, resource, status, seconds }: RequestFigures): void => {
    this.#metrics.count('weir_controller_api_requests_total', { verb, resource, code: status })
    const labels = { verb, resource }
    this.#metrics.observe('weir_controller_api_request_duration_seconds', labels, seconds)
  }

  readonly pass = ({ work, result, seconds }: WorkFigures): void => {
    const { priority, waitedMs } = work
    this.#metrics.count('weir_controller_reconcile_total', { controller, result })
    this.#metrics.observe(
      'weir_controller_reconcile_duration_seconds',
      { controller, result },
      seconds,
    )
    const labels = { controller, priority }
    this.#metrics.observe('weir_controller_queue_latency_seconds', labels, waitedMs / 1_000)
  }

  readonly upgrade = (figure: UpgradeFigure): void => {
    switch (figure.kind) {
      case 'ended': {
        const { mode, result } = figure
        this.#metrics.count('weir_controller_upgrades_total', { mode, result })
        break
      }
      case 'gap': {
        const { mode, seconds } = figure
        this.#metrics.observe('weir_controller_upgrade_gap_seconds', { mode }, seconds)
        break
      }
      case 'rollback':
        this.#metrics.count('weir_controller_rollbacks_total', { cause: figure.cause })
        break
    }
  }

  readonly link = ({ call, result, seconds }: LinkFigures): void => {
    this.#metrics.count('weir_controller_link_requests_total', { call, result })
    this.#metrics.observe('weir_controller_link_request_duration_seconds', { call }, seconds)
  }

  readonly restart = (resource: string, reason: string): void =>
    this.#metrics.count('weir_controller_watch_restarts_total', { resource, reason })

  readonly missed = (resource: string, count: number): void =>
    this.#metrics.count('weir_controller_missed_events_total', { resource }, count)

  text(): Promise<string> {
    return this.#metrics.text()
  }

  /** What is no event, but can be looked at. */
  look({ world, queue, loop, poller, election }: Looked): void {
    const metrics = this.#metrics
    metrics.set('weir_controller_link_jobs', {}, poller.size)
    metrics.set('weir_controller_link_silent_jobs', {}, poller.silent)
    metrics.set('weir_controller_leader', {}, election.leads ? 1 : 0)
    const longest = loop.longestMs / 1_000
    metrics.set('weir_controller_longest_running_seconds', { controller }, longest)
    for (const priority of priorities) {
      const depth = queue.depth(priority)
      metrics.set('weir_controller_queue_depth', { controller, priority }, depth)
    }
    for (const [resource, cache] of world.caches) {
      metrics.set('weir_controller_cache_objects', { resource }, cache.size)
    }
    for (const [resource, reflector] of world.reflectors) {
      const age = reflector.silentMs / 1_000
      metrics.set('weir_controller_last_event_age_seconds', { resource }, age)
    }
    this.#countJobs(world)
  }

  /** A phase that no job is in any more goes to 0. */
  #countJobs(world: JobWorld): void {
    const counts = new Map<string, number>()
    for (const { metadata, status } of world.jobs.cache.all()) {
      const labels = { namespace: metadata.namespace ?? '', phase: status?.phase ?? 'new' }
      const key = JSON.stringify(labels)
      this.#seen.set(key, labels)
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const [key, labels] of this.#seen) {
      this.#metrics.set('weir_controller_jobs', labels, counts.get(key) ?? 0)
    }
  }
}
