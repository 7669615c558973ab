/** Kafka's own command-line tools, from the jars that Kafka publishes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mavenJars } from './maven-jars.ts'
import { runTool } from './run-tool.ts'

/** Not every version is published; this one speaks with all brokers of the testbed. */
const VERSION = '4.3.1'

export interface ToolRun {
  readonly said: string
  /** User and system, of the Java machine. */
  readonly cpuMs: number
}

/** Runs a main class of the tools to its end. */
export async function runKafkaTool(main: string, args: readonly string[]): Promise<ToolRun> {
  const name = `kafka-tools-${VERSION}`
  const { folder, install } = await mavenJars({
    name,
    artifacts: [
      ['org.apache.kafka', 'kafka-tools', VERSION],
      ['org.slf4j', 'slf4j-simple', '1.7.36'],
    ],
    pins: readFileSync(join(import.meta.dirname, `kafka-jars/${name}.sha256`), 'utf8'),
  })
  const java = ['-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', `${folder}/*`]
  // The shell says what the program took: last its children, user and system.
  const script = 'java "$@" && times'
  const said = await runTool('sh', ['-c', script, 'sh', ...java, main, ...args], { install })
  const [user = '', system = ''] = said.trim().split('\n').at(-1)?.split(' ') ?? []
  return { said, cpuMs: msOf(user) + msOf(system) }
}

/** Of `1m2.34s`. */
function msOf(text: string): number {
  const [, minutes = '0', seconds = '0'] = /^(\d+)m([\d.]+)s$/.exec(text) ?? []
  return Number(minutes) * 60_000 + Number(seconds) * 1_000
}
