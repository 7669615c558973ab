/** Every metric of the controller, in one table: `docs/metrics.md` is held against it. */

export interface ControllerMetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
}

export const controllerMetricDefinitions = {
  weir_controller_queue_depth: {
    type: 'gauge',
    help: 'Objects that wait to be looked at',
    labels: ['controller', 'priority'],
  },
  weir_controller_queue_latency_seconds: {
    type: 'histogram',
    help: 'From an event to the beginning of the pass',
    labels: ['controller', 'priority'],
  },
  weir_controller_longest_running_seconds: {
    type: 'gauge',
    help: 'Age of the oldest pass that has not ended',
    labels: ['controller'],
  },
  weir_controller_reconcile_total: {
    type: 'counter',
    help: 'Passes, by how they ended: done, again, failed',
    labels: ['controller', 'result'],
  },
  weir_controller_reconcile_duration_seconds: {
    type: 'histogram',
    help: 'Time of a pass',
    labels: ['controller', 'result'],
  },
  weir_controller_api_requests_total: {
    type: 'counter',
    help: 'Requests to the API server; code 0: no answer',
    labels: ['verb', 'resource', 'code'],
  },
  weir_controller_api_request_duration_seconds: {
    type: 'histogram',
    help: 'Until the head of the answer',
    labels: ['verb', 'resource'],
  },
  weir_controller_cache_objects: {
    type: 'gauge',
    help: 'Objects that are known',
    labels: ['resource'],
  },
  weir_controller_watch_restarts_total: {
    type: 'counter',
    help: 'Watches that began again, by the error before',
    labels: ['resource', 'reason'],
  },
  weir_controller_missed_events_total: {
    type: 'counter',
    help: 'Events that never came, as an audit found: always 0, or something is wrong',
    labels: ['resource'],
  },
  weir_controller_last_event_age_seconds: {
    type: 'gauge',
    help: 'Time since the last word of the watch',
    labels: ['resource'],
  },
  weir_controller_link_requests_total: {
    type: 'counter',
    help: 'Questions and orders to jobmanagers; result: ok, or the code of the error',
    labels: ['call', 'result'],
  },
  weir_controller_link_request_duration_seconds: {
    type: 'histogram',
    help: 'Time until the answer of a jobmanager, with the connection',
    labels: ['call'],
  },
  weir_controller_link_jobs: {
    type: 'gauge',
    help: 'Jobs whose jobmanager is asked how they are',
    labels: [],
  },
  weir_controller_link_silent_jobs: {
    type: 'gauge',
    help: 'Of them, those whose jobmanager does not answer',
    labels: [],
  },
  weir_controller_clock_skew_seconds: {
    type: 'gauge',
    help: 'How far the clock of this replica is ahead of that of the API server; it is corrected',
    labels: [],
  },
  weir_controller_crd_outdated: {
    type: 'gauge',
    help: '1 while the served CRD lacks fields that this version writes',
    labels: ['crd'],
  },
  weir_controller_leader: {
    type: 'gauge',
    help: '1 while this replica leads',
    labels: [],
  },
  weir_controller_savepoints: {
    type: 'gauge',
    help: 'Savepoints by phase',
    labels: ['namespace', 'phase'],
  },
  weir_controller_savepoint_duration_seconds: {
    type: 'histogram',
    help: 'From the order to the end of a savepoint; result: completed, failed',
    labels: ['result'],
  },
  weir_controller_upgrades_total: {
    type: 'counter',
    help: 'Upgrades by how they ended: done, refused, cancelled, rolled-back, failed',
    labels: ['mode', 'result'],
  },
  weir_controller_upgrade_gap_seconds: {
    type: 'histogram',
    help: 'From the end of the old deployment until every vertex of the new one runs',
    labels: ['mode'],
  },
  weir_controller_rollbacks_total: {
    type: 'counter',
    help: 'Upgrades that were undone, by why',
    labels: ['cause'],
  },
  weir_controller_jobs: {
    type: 'gauge',
    help: 'StreamJobs by phase',
    labels: ['namespace', 'phase'],
  },
  weir_controller_tenant_quota: {
    type: 'gauge',
    help: 'What the jobs of a tenant may hold, in cores, bytes and numbers; absent: no limit',
    labels: ['tenant', 'resource'],
  },
  weir_controller_tenant_usage: {
    type: 'gauge',
    help: 'What they hold',
    labels: ['tenant', 'resource'],
  },
  weir_controller_tenant_queue_depth: {
    type: 'gauge',
    help: 'Jobs of a tenant that wait for room',
    labels: ['tenant'],
  },
} as const satisfies Readonly<Record<string, ControllerMetricDefinition>>
