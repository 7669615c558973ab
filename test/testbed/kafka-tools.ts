/** Kafka's own tools: witnesses beside Weir's own reader. */
import { fetchJars } from './fetch-jars.ts'
import { runTool } from './run-tool.ts'

const INSTALL =
  'install a Java runtime from 17 on and Maven (Debian: apt-get install default-jre-headless maven)'
const VERSION = '4.3.1'
const QUIET_MS = 15_000

export interface ConsoleConsumerOptions {
  /** Of a broker. */
  readonly address: string
  readonly topic: string
  /** It ends when it has so many records, or when none came for a while. */
  readonly count: number
}

/** The values of committed records, those of a partition in their order. */
export async function consoleConsumer(options: ConsoleConsumerOptions): Promise<readonly string[]> {
  const { address, topic, count } = options
  const folder = await kafkaTools()
  const java = ['-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const log = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=off']
  const program = ['-cp', `${folder}/*`, 'org.apache.kafka.tools.consumer.ConsoleConsumer']
  const what = ['--bootstrap-server', address, '--topic', topic, '--from-beginning']
  const isolation = ['--isolation-level', 'read_committed']
  const limits = ['--max-messages', String(count), '--timeout-ms', String(QUIET_MS)]
  const args = [...java, ...log, ...program, ...what, ...isolation, ...limits]
  const said = await runTool('java', args, { install: INSTALL, gives: 'output' })
  return said.split('\n').filter(line => line.startsWith('{'))
}

/** The folder of their jars. */
export function kafkaTools(): Promise<string> {
  const group = 'org.apache.kafka'
  return fetchJars({
    name: `kafka-tools-${VERSION}`,
    install: INSTALL,
    jars: [
      { group, name: 'kafka-tools', version: VERSION, alone: true },
      { group, name: 'kafka-server-common', version: VERSION, alone: true },
      { group, name: 'kafka-clients', version: VERSION },
      { group: 'net.sourceforge.argparse4j', name: 'argparse4j', version: '0.7.0' },
      { group: 'net.sf.jopt-simple', name: 'jopt-simple', version: '5.0.4' },
      { group: 'org.slf4j', name: 'slf4j-simple', version: '1.7.36' },
    ],
  })
}
