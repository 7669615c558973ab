/**
 * A job: a function that builds a pipeline. The same object runs in a test, on one machine and on a
 * cluster; each run builds it anew with the arguments and the parallelism of that run.
 *
 * ```ts
 * const spending = job('spending', env => {
 *   env
 *     .from(orderSource, w => w.monotonous().timestamp(order => order.at))
 *     .uid('orders')
 *     .keyBy(order => order.customer)
 *     .window(tumbling('1h'))
 *     .sum('amount')
 *     .uid('spending')
 *     .to(orderSink)
 * })
 * ```
 */
import { apiErrors } from './api-errors.ts'
import { JobArguments } from './job-arguments.ts'
import { StreamEnvironment } from './stream-environment.ts'
import type { Transformation } from './transformation.ts'

/** Shared by all copies of Weir in a process: a bundled job may bring its own. */
const JOB: unique symbol = Symbol.for('weir.job') as never

/** What `job()` gives; the default export of a job's module. */
export interface Job {
  readonly [JOB]: true
  /** Undefined: the runner names it, after the manifest or the file. */
  readonly name: string | undefined
  /** Throws what the builder function throws. */
  build(options?: BuildOptions): Pipeline
}

/** What differs from run to run. */
export interface BuildOptions {
  readonly args?: Readonly<Record<string, string>>
  /** Default 1. */
  readonly parallelism?: number
}

/** A job as built for one run. */
export interface Pipeline {
  readonly name: string | undefined
  readonly parallelism: number
  /** `undefined`: as the manifest says. */
  readonly bufferTimeoutMs: number | undefined
  /** Inputs stand before what reads them. */
  readonly transformations: readonly Transformation[]
  /** Arguments that were given and never read. */
  readonly unreadArguments: readonly string[]
  /** Arguments that the builder asked for. */
  readonly knownArguments: readonly string[]
}

/** Adds sources, operators and sinks to `env`; what it returns is ignored. */
export type JobBuilder = (env: StreamEnvironment) => unknown

/** A job without a name of its own: its runner names it, after the manifest or the file. */
export function job(build: JobBuilder): Job
/** A job with a name. */
export function job(name: string, build: JobBuilder): Job
/** Nothing is built before a run calls `build`. */
export function job(first: string | JobBuilder, second?: JobBuilder): Job {
  const name = typeof first === 'string' ? first : undefined
  const builder = typeof first === 'string' ? second : first
  return {
    [JOB]: true,
    name,
    build(options = {}) {
      const args = new JobArguments(options.args)
      const parallelism = options.parallelism ?? 1
      const env = new StreamEnvironment({ args, parallelism })
      const built = builder?.(env)
      if (built instanceof Promise) throw apiErrors.WEIR_JOB_ASYNC({ job: name ?? '(unnamed)' })
      return {
        name,
        parallelism,
        bufferTimeoutMs: env.bufferTimeoutMs,
        transformations: env.transformations,
        unreadArguments: args.unread,
        knownArguments: args.known,
      }
    },
  }
}

/** Whether a module's export is a job. */
export function isJob(value: unknown): value is Job {
  return typeof value === 'object' && value !== null && JOB in value
}
