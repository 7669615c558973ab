/** Kafka's own performance tools. A run has the start of the Java machine in its CPU time. */
import { runPerformanceTool } from '../../testbed/kafka-performance.ts'
import type { CaseRun } from '../bench-harness.ts'
import type { Rig } from './rig.ts'

/** `settings` of the producer, as `name=value`. */
export async function writeByJava(
  rig: Rig,
  count: number,
  settings: readonly string[] = [],
): Promise<CaseRun> {
  const topic = await rig.topic()
  const { said, cpuMs } = await runPerformanceTool('ProducerPerformance', [
    ...['--topic', topic, '--num-records', String(count), '--record-size', '100'],
    ...['--throughput', '-1', '--producer-props', `bootstrap.servers=${rig.brokers}`, 'acks=all'],
    ...settings,
  ])
  await rig.drop(topic)
  const rates = [...said.matchAll(/records sent, ([\d.]+) records\/sec/g)]
  const perSecond = Number(rates.at(-1)?.[1])
  return { count, elapsedMs: (count * 1_000) / perSecond, cpuMs }
}

export async function readByJava(rig: Rig, topic: string, count: number): Promise<CaseRun> {
  const { said, cpuMs } = await runPerformanceTool('ConsumerPerformance', [
    ...['--bootstrap-server', rig.brokers, '--topic', topic, '--messages', String(count)],
    ...['--timeout', '60000'],
  ])
  // start, end, MB, MB/s, messages, messages/s, rebalance ms, fetch ms, …
  const figures =
    said
      .split('\n')
      .findLast(line => /^\d{4}-/.test(line))
      ?.split(', ') ?? []
  return { count: Number(figures[4]), elapsedMs: Number(figures[7]), cpuMs }
}
