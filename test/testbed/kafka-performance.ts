/** Kafka's own performance tools, and what a run of one took. */
import { kafkaTools } from './kafka-tools.ts'
import { runTool } from './run-tool.ts'

const INSTALL =
  'install a Java runtime from 17 on and Maven (Debian: apt-get install default-jre-headless maven)'

export interface PerformanceRun {
  readonly said: string
  /** User and system, of the Java machine with its start. */
  readonly cpuMs: number
}

/** Runs the tool of this name to its end: `ProducerPerformance`, `ConsumerPerformance`. */
export async function runPerformanceTool(
  name: string,
  args: readonly string[],
): Promise<PerformanceRun> {
  const folder = await kafkaTools()
  const log = '-Dorg.slf4j.simpleLogger.defaultLogLevel=off'
  const java = ['-Xmx512m', log, '-cp', `${folder}/*`, `org.apache.kafka.tools.${name}`]
  // The shell says what its children took, in its last line: user and system.
  const script = 'java "$@" && times'
  const said = await runTool('sh', ['-c', script, 'sh', ...java, ...args], {
    install: INSTALL,
    gives: 'output',
  })
  const [user = '', system = ''] = said.trim().split('\n').at(-1)?.split(' ') ?? []
  return { said, cpuMs: msOf(user) + msOf(system) }
}

/** Of `1m2.34s`. */
function msOf(text: string): number {
  const [, minutes = '0', seconds = '0'] = /^(\d+)m([\d.]+)s$/.exec(text) ?? []
  return Number(minutes) * 60_000 + Number(seconds) * 1_000
}
