/** The dashboard of the controller for Grafana, as the chart ships it. */
import type { controllerMetricDefinitions } from '../../src/observability/controller-metric-definitions.ts'

type Metric = keyof typeof controllerMetricDefinitions

interface Panel {
  readonly title: string
  readonly unit: 'short' | 's' | 'reqps' | 'ops'
  /** What is shown, by the words of its legend. */
  readonly lines: Readonly<Record<string, string>>
}

/** Typed, so that a metric that goes takes its panel with it. */
const rate = (metric: Metric, by: string): string => `sum by (${by}) (rate(${metric}[5m]))`
const highest = (metric: Metric, by: string): string => `max by (${by}) (${metric})`
const quantile = (q: number, metric: Metric, by: string): string =>
  `histogram_quantile(${q}, sum by (le, ${by}) (rate(${metric}_bucket[5m])))`

const panels: readonly Panel[] = [
  {
    title: 'Jobs by phase',
    unit: 'short',
    lines: { '{{phase}}': `sum by (phase) (${'weir_controller_jobs' satisfies Metric})` },
  },
  {
    title: 'Replicas that lead: one, or nobody does the work',
    unit: 'short',
    lines: { leaders: `sum(${'weir_controller_leader' satisfies Metric})` },
  },
  {
    title: 'Waiting objects',
    unit: 'short',
    lines: { '{{priority}}': highest('weir_controller_queue_depth', 'priority') },
  },
  {
    title: 'From an event to its pass',
    unit: 's',
    lines: {
      'p50 {{priority}}': quantile(0.5, 'weir_controller_queue_latency_seconds', 'priority'),
      'p99 {{priority}}': quantile(0.99, 'weir_controller_queue_latency_seconds', 'priority'),
    },
  },
  {
    title: 'Passes by result',
    unit: 'ops',
    lines: { '{{result}}': rate('weir_controller_reconcile_total', 'result') },
  },
  {
    title: 'Time of a pass',
    unit: 's',
    lines: {
      'p99 {{controller}}': quantile(
        0.99,
        'weir_controller_reconcile_duration_seconds',
        'controller',
      ),
      'oldest open {{controller}}': highest(
        'weir_controller_longest_running_seconds',
        'controller',
      ),
    },
  },
  {
    title: 'Requests to the API server by answer (0: none)',
    unit: 'reqps',
    lines: { '{{verb}} {{code}}': rate('weir_controller_api_requests_total', 'verb, code') },
  },
  {
    title: 'Answers of the API server, p99',
    unit: 's',
    lines: {
      '{{verb}} {{resource}}': quantile(
        0.99,
        'weir_controller_api_request_duration_seconds',
        'verb, resource',
      ),
    },
  },
  {
    title: 'Known objects',
    unit: 'short',
    lines: { '{{resource}}': highest('weir_controller_cache_objects', 'resource') },
  },
  {
    title: 'Watches that began again, and events that never came',
    unit: 'ops',
    lines: {
      'restart {{resource}} {{reason}}': rate(
        'weir_controller_watch_restarts_total',
        'resource, reason',
      ),
      'missed {{resource}}': rate('weir_controller_missed_events_total', 'resource'),
    },
  },
  {
    title: 'Silence of the watches',
    unit: 's',
    lines: { '{{resource}}': highest('weir_controller_last_event_age_seconds', 'resource') },
  },
]

const datasource = { type: 'prometheus', uid: '$datasource' }
const HEIGHT = 8
const WIDTH = 12

export function controllerDashboard(): object {
  return {
    uid: 'weir-controller',
    title: 'Weir: the controller',
    tags: ['weir'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [{ name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' }],
    },
    panels: panels.map(grafanaPanel),
  }
}

function grafanaPanel({ title, unit, lines }: Panel, i: number): object {
  return {
    id: i + 1,
    type: 'timeseries',
    title,
    datasource,
    gridPos: { h: HEIGHT, w: WIDTH, x: (i % 2) * WIDTH, y: Math.floor(i / 2) * HEIGHT },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' } },
    targets: Object.entries(lines).map(([legendFormat, expr], j) => {
      return { refId: String.fromCharCode(65 + j), datasource, expr, legendFormat }
    }),
  }
}
