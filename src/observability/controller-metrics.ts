/** The figures of the controller. `docs/metrics.md` is made from the definitions. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { controllerMetricDefinitions as defined } from './controller-metric-definitions.ts'

type Name = keyof typeof defined
type Labels = Readonly<Record<string, string | number>>

/** From a millisecond to half a minute. */
const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export class ControllerMetrics {
  readonly #registry = new Registry()
  readonly #metrics = new Map<Name, Counter | Gauge | Histogram>()

  constructor() {
    for (const [name, { type, help, labels }] of Object.entries(defined)) {
      const registers = [this.#registry]
      const options = { name, help, labelNames: [...labels], registers }
      const metric =
        type === 'counter'
          ? new Counter(options)
          : type === 'gauge'
            ? new Gauge(options)
            : new Histogram({ ...options, buckets })
      this.#metrics.set(name as Name, metric)
    }
  }

  count(name: Name, labels: Labels, by = 1): void {
    const metric = this.#metrics.get(name)
    if (metric instanceof Counter) metric.inc(labels, by)
  }

  set(name: Name, labels: Labels, value: number): void {
    const metric = this.#metrics.get(name)
    if (metric instanceof Gauge) metric.set(labels, value)
  }

  /** What is no longer there is not set again. */
  clear(name: Name): void {
    const metric = this.#metrics.get(name)
    if (metric instanceof Gauge) metric.reset()
  }

  observe(name: Name, labels: Labels, seconds: number): void {
    const metric = this.#metrics.get(name)
    if (metric instanceof Histogram) metric.observe(labels, seconds)
  }

  /** As Prometheus reads it. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }
}
