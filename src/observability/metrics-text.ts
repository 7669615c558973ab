/** The text that Prometheus reads. The home of prom-client. */
import { Counter, Gauge, Registry } from 'prom-client'
import { type MetricDefinition, type MetricName, metricDefinitions } from './metric-definitions.ts'

export interface MetricSample {
  readonly name: MetricName
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/**
 * Every defined metric, with the samples of this moment. Totals are kept by whoever gives the
 * samples, so each text comes from a registry of its own.
 */
export async function metricsText(samples: readonly MetricSample[]): Promise<string> {
  const registry = new Registry()
  const byName = Map.groupBy(samples, sample => sample.name)
  for (const [name, definition] of Object.entries<MetricDefinition>(metricDefinitions)) {
    const { type, help, labels } = definition
    const options = { name, help, labelNames: [...labels], registers: [registry] }
    const found = byName.get(name as MetricName) ?? []
    if (type === 'counter') {
      const counter = new Counter(options)
      for (const sample of found) counter.inc({ ...sample.labels }, sample.value)
    } else {
      const gauge = new Gauge(options)
      for (const sample of found) gauge.set({ ...sample.labels }, sample.value)
    }
  }
  return registry.metrics()
}
