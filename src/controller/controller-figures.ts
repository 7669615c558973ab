/** Turns what happens in the controller into its metrics. */
import type { ControllerMetrics } from '../observability/controller-metrics.ts'
import type { Watch } from './kube/kind-watcher.ts'
import type { KubeObject } from './kube/kube-object.ts'
import type { RequestFigures } from './kube/kube-transport.ts'
import type { LeaderElection } from './kube/leader-election.ts'
import type { CacheView } from './kube/object-cache.ts'
import type { WorkFigures, WorkLoop } from './kube/work-loop.ts'
import { priorities, type WorkQueue } from './kube/work-queue.ts'
import type { FactsPoller } from './link/facts-poller.ts'
import type { LinkFigures } from './link/tls-job-link.ts'
import type { SavepointObject } from './savepoint/savepoint-object.ts'
import type { UpgradeFigure } from './streamjob/job-decision.ts'
import type { StreamJobObject } from './streamjob/stream-job-object.ts'
import { quotaResources } from './tenancy/demand.ts'
import { quotaOf } from './tenancy/quota-ledger.ts'
import type { Tenancy } from './tenancy/tenancy.ts'

const tenantMetrics = [
  'weir_controller_tenant_quota',
  'weir_controller_tenant_usage',
  'weir_controller_tenant_queue_depth',
] as const

export interface LookedLoop {
  readonly controller: string
  readonly queue: WorkQueue
  readonly loop: WorkLoop
}

export interface Looked {
  readonly watches: readonly Watch[]
  readonly loops: readonly LookedLoop[]
  readonly jobs: CacheView<StreamJobObject>
  readonly savepoints: CacheView<SavepointObject>
  readonly poller: FactsPoller
  readonly tenancy: Tenancy | undefined
  readonly election: LeaderElection
}

/** Of CPU and memory, which tenants count in whole numbers, in the units of Prometheus. */
const unitOf = { jobs: 1, slots: 1, cpu: 1_000, memory: 1 } as const

type CountedByPhase = 'weir_controller_jobs' | 'weir_controller_savepoints'
type WithPhase = KubeObject & { readonly status?: { readonly phase?: string | undefined } }

export class ControllerFigures {
  readonly #metrics: ControllerMetrics
  readonly #seen = new Map<string, { name: CountedByPhase; labels: Record<string, string> }>()

  constructor(metrics: ControllerMetrics) {
    this.#metrics = metrics
  }

  readonly request = ({ verb, resource, status, seconds }: RequestFigures): void => {
    this.#metrics.count('weir_controller_api_requests_total', { verb, resource, code: status })
    const labels = { verb, resource }
    this.#metrics.observe('weir_controller_api_request_duration_seconds', labels, seconds)
  }

  readonly skew = (skewMs: number): void =>
    this.#metrics.set('weir_controller_clock_skew_seconds', {}, skewMs / 1_000)

  readonly crd = (crd: string, isOutdated: boolean): void =>
    this.#metrics.set('weir_controller_crd_outdated', { crd }, isOutdated ? 1 : 0)

  passOf(controller: string): (figures: WorkFigures) => void {
    return ({ work: { priority, waitedMs }, result, seconds }) => {
      const ended = { controller, result }
      this.#metrics.count('weir_controller_reconcile_total', ended)
      this.#metrics.observe('weir_controller_reconcile_duration_seconds', ended, seconds)
      const labels = { controller, priority }
      this.#metrics.observe('weir_controller_queue_latency_seconds', labels, waitedMs / 1_000)
    }
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

  readonly savepoint = (result: 'completed' | 'failed', seconds: number): void =>
    this.#metrics.observe('weir_controller_savepoint_duration_seconds', { result }, seconds)

  readonly restart = (resource: string, reason: string): void =>
    this.#metrics.count('weir_controller_watch_restarts_total', { resource, reason })

  readonly missed = (resource: string, count: number): void =>
    this.#metrics.count('weir_controller_missed_events_total', { resource }, count)

  text(looked: Looked): Promise<string> {
    this.#look(looked)
    return this.#metrics.text()
  }

  /** What is no event, but can be looked at: only when asked for, since each job is counted. */
  #look({ watches, loops, jobs, savepoints, poller, tenancy, election }: Looked): void {
    const metrics = this.#metrics
    metrics.set('weir_controller_link_jobs', {}, poller.size)
    metrics.set('weir_controller_link_silent_jobs', {}, poller.silent)
    metrics.set('weir_controller_leader', {}, election.leads ? 1 : 0)
    for (const { controller, queue, loop } of loops) {
      const longest = loop.longestMs / 1_000
      metrics.set('weir_controller_longest_running_seconds', { controller }, longest)
      for (const priority of priorities) {
        const depth = queue.depth(priority)
        metrics.set('weir_controller_queue_depth', { controller, priority }, depth)
      }
    }
    for (const [resource, ofKind] of Map.groupBy(watches, one => one.resource)) {
      const objects = ofKind.reduce((sum, { cache }) => sum + cache.size, 0)
      metrics.set('weir_controller_cache_objects', { resource }, objects)
      const age = Math.max(...ofKind.map(({ reflector }) => reflector.silentMs)) / 1_000
      metrics.set('weir_controller_last_event_age_seconds', { resource }, age)
    }
    this.#count('weir_controller_jobs', jobs.all())
    this.#count('weir_controller_savepoints', savepoints.all())
    if (tenancy !== undefined) this.#measureTenants(tenancy)
  }

  #measureTenants({ directory, ledger }: Tenancy): void {
    const metrics = this.#metrics
    for (const name of tenantMetrics) metrics.clear(name)
    for (const { name: tenant, spec } of directory.tenants()) {
      const { used, queued } = ledger.usageOf(tenant)
      const quota = quotaOf(spec?.quota)
      for (const resource of quotaResources) {
        const labels = { tenant, resource }
        const unit = unitOf[resource]
        metrics.set('weir_controller_tenant_usage', labels, used[resource] / unit)
        const limit = quota[resource]
        if (limit !== undefined) metrics.set('weir_controller_tenant_quota', labels, limit / unit)
      }
      metrics.set('weir_controller_tenant_queue_depth', { tenant }, queued)
    }
  }

  /** A phase that none is in any more goes to 0. */
  #count(name: CountedByPhase, objects: Iterable<WithPhase>): void {
    const counts = new Map<string, number>()
    for (const { metadata, status } of objects) {
      const [namespace, phase] = [metadata.namespace ?? '', status?.phase ?? 'new']
      // Neither has a blank.
      const key = `${name} ${namespace} ${phase}`
      if (!this.#seen.has(key)) this.#seen.set(key, { name, labels: { namespace, phase } })
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const [key, { name: seen, labels }] of this.#seen) {
      if (seen === name) this.#metrics.set(name, labels, counts.get(key) ?? 0)
    }
  }
}
