/** The throughput of a job in several processes, from what its sources and sinks noted. */
import type { Sample, SinkReport, SourceReport } from './jobs/measure.ts'

export interface Throughput {
  readonly perSecond: number
  /** Records of the measured part. */
  readonly count: number
  readonly elapsedMs: number
  /** Of all processes together in that time. */
  readonly cpuMs: number
}

/** The first part of a run compiles code and fills state: it does not count. */
const WARM_UP_SHARE = 1 / 3

/**
 * Of the last two thirds of the records: from when the sources had emitted a third of `count`,
 * until the last sink got the end, or without sinks until the last source was seen.
 */
export function rateOf(
  sources: readonly SourceReport[],
  count: number,
  sinks: readonly SinkReport[] = [],
): Throughput {
  const all = sources.map(({ samples }) => samples).filter(samples => samples.length > 0)
  const times = all.flatMap(samples => samples.map(({ atMs }) => atMs)).toSorted((a, b) => a - b)
  const beginMs = times.find(atMs => emittedAt(all, atMs) >= count * WARM_UP_SHARE)
  const lastMs = times.at(-1)
  if (beginMs === undefined || lastMs === undefined) throw new Error('the sources noted nothing')
  const endMs = Math.max(lastMs, ...sinks.map(sink => sink.endMs))
  const measured = (sinks.length === 0 ? emittedAt(all, lastMs) : count) - emittedAt(all, beginMs)
  const elapsedMs = endMs - beginMs
  const usedAtBegin = all.reduce((sum, samples) => sum + lastBefore(samples, beginMs).cpuMs, 0)
  const used =
    sinks.length === 0
      ? all.reduce((sum, samples) => sum + lastBefore(samples, lastMs).cpuMs, 0)
      : sinks.reduce((sum, sink) => sum + sink.cpuMs, 0)
  const cpuMs = used - usedAtBegin
  return { perSecond: (measured * 1_000) / elapsedMs, count: measured, elapsedMs, cpuMs }
}

/** Readers take every p-th number: each is as far as its next number says. */
function emittedAt(all: readonly (readonly Sample[])[], atMs: number): number {
  return all.reduce((sum, samples) => sum + lastBefore(samples, atMs).next, 0) / all.length
}

function lastBefore(samples: readonly Sample[], atMs: number): Sample {
  const found = samples.findLast(sample => sample.atMs <= atMs)
  return found ?? { atMs, next: 0, cpuMs: samples[0]?.cpuMs ?? 0 }
}
