/**
 * Looks into the process that it runs in, by V8's and Node's own means. Nothing is measured but
 * while somebody asks: a job that nobody looks at pays nothing.
 */
import { Session } from 'node:inspector/promises'
import {
  constants,
  eventLoopUtilization,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
} from 'node:perf_hooks'
import process from 'node:process'
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import type { Clock } from '../common/clock.ts'
import type {
  FlameGraph,
  HeapReport,
  InspectedProcesses,
  ProcessInspector,
  ThreadReport,
} from './process-inspector.ts'
import { type CpuProfile, flameTree, hottestFunctions } from './profile-tree.ts'

const SAMPLING_MICROS = 500
const NANOS_PER_MS = 1e6

const collectionKinds: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak callbacks',
}

/** This process alone, under a name. */
export function ownProcess(clock: Clock, name = 'jobmanager'): InspectedProcesses {
  const inspector = new OwnProcess(clock)
  return { names: [name], of: wanted => (wanted === name ? inspector : undefined) }
}

class OwnProcess implements ProcessInspector {
  readonly #clock: Clock
  /** One profile at a time: a second one would end the first. */
  #profiling: Promise<unknown> = Promise.resolve()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async heap(windowMs: number): Promise<HeapReport> {
    const collections = await this.#collections(windowMs)
    const heap = getHeapStatistics()
    return {
      pid: process.pid,
      residentBytes: process.memoryUsage.rss(),
      heapUsedBytes: heap.used_heap_size,
      heapSizeBytes: heap.total_heap_size,
      heapLimitBytes: heap.heap_size_limit,
      externalBytes: heap.external_memory,
      spaces: getHeapSpaceStatistics().map(space => ({
        name: space.space_name,
        usedBytes: space.space_used_size,
        sizeBytes: space.space_size,
      })),
      windowMs,
      collections,
    }
  }

  async threads(windowMs: number): Promise<ThreadReport> {
    const delay = monitorEventLoopDelay({ resolution: 10 })
    delay.enable()
    const before = eventLoopUtilization()
    const profile = await this.#profile(windowMs)
    const { utilization } = eventLoopUtilization(before)
    delay.disable()
    const resources = Map.groupBy(process.getActiveResourcesInfo(), kind => kind)
    return {
      pid: process.pid,
      windowMs,
      utilization,
      delayMs: {
        mean: milliseconds(delay.mean),
        p99: milliseconds(delay.percentile(99)),
        longest: milliseconds(delay.max),
      },
      resources: [...resources]
        .map(([kind, all]) => ({ kind, count: all.length }))
        .toSorted((a, b) => b.count - a.count),
      hottest: hottestFunctions(profile),
    }
  }

  async flameGraph(windowMs: number): Promise<FlameGraph> {
    return { pid: process.pid, windowMs, root: flameTree(await this.#profile(windowMs)) }
  }

  #profile(windowMs: number): Promise<CpuProfile> {
    const profiled = this.#profiling.then(() => this.#record(windowMs))
    this.#profiling = profiled.catch(() => undefined)
    return profiled
  }

  async #record(windowMs: number): Promise<CpuProfile> {
    const session = new Session()
    session.connect()
    try {
      await session.post('Profiler.enable')
      await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_MICROS })
      await session.post('Profiler.start')
      await this.#pass(windowMs)
      const { profile } = await session.post('Profiler.stop')
      return profile
    } finally {
      session.disconnect()
    }
  }

  async #collections(windowMs: number): Promise<HeapReport['collections']> {
    const found = new Map<string, { count: number; totalMs: number; longestMs: number }>()
    const note = (entries: readonly PerformanceEntry[]): void => {
      for (const entry of entries) {
        const { duration } = entry
        const { detail } = entry as unknown as { readonly detail: { readonly kind: number } }
        const kind = collectionKinds[detail.kind] ?? 'other'
        const known = found.get(kind) ?? { count: 0, totalMs: 0, longestMs: 0 }
        known.count++
        known.totalMs += duration
        known.longestMs = Math.max(known.longestMs, duration)
        found.set(kind, known)
      }
    }
    const observer = new PerformanceObserver(list => note(list.getEntries()))
    observer.observe({ entryTypes: ['gc'] })
    try {
      await this.#pass(windowMs)
      // Those that were not handed over yet.
      note(observer.takeRecords())
    } finally {
      observer.disconnect()
    }
    return [...found].map(([kind, counts]) => ({ kind, ...counts }))
  }

  #pass(ms: number): Promise<void> {
    return new Promise(resolve => this.#clock.schedule(ms, resolve))
  }
}

/** Before the first measurement it is no number. */
function milliseconds(nanos: number): number {
  return Number.isFinite(nanos) ? nanos / NANOS_PER_MS : 0
}
