/** One topic into another, byte by byte: to the end of what is there, or until it is told to stop. */
import { job, kafkaSink, kafkaSource, raw } from 'weir'
import { writeReport } from './measure.ts'

/** What the process took, from when it loaded the job. */
export interface CopyReport {
  readonly elapsedMs: number
  readonly cpuMs: number
  readonly peakBytes: number
}

const startedMs = performance.now()
const startedCpu = process.cpuUsage()

export default job('kafka-copy', env => {
  const { args } = env
  const brokers = args.get('brokers', '127.0.0.1:9092')
  const isBounded = args.get('until', 'latest') === 'latest'
  const folder = args.get('report', 'report')
  process.once('exit', () => {
    const elapsedMs = performance.now() - startedMs
    const { user, system } = process.cpuUsage(startedCpu)
    const cpuMs = (user + system) / 1_000
    const peakBytes = process.resourceUsage().maxRSS * 1_024
    writeReport(folder, 'copy-0', { elapsedMs, cpuMs, peakBytes } satisfies CopyReport)
  })
  env
    .from(
      kafkaSource({
        brokers,
        topics: args.get('input', 'input'),
        value: raw(),
        ...(isBounded && { stop: 'latest' }),
      }),
    )
    .uid('in')
    .to(
      kafkaSink({
        brokers,
        topic: args.get('output', 'output'),
        value: raw(),
        delivery: args.get('delivery', 'exactly-once') as 'exactly-once' | 'at-least-once',
      }),
    )
    .uid('out')
})
