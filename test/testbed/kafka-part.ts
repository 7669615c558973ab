/** A real Kafka broker, which is its own controller, from the jars that Kafka publishes. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchJars } from './fetch-jars.ts'
import { freePorts } from './free-ports.ts'
import { kafkaPasswords } from './kafka-passwords.ts'
import { brokerProperties, type KafkaPorts } from './kafka-properties.ts'
import { listsBroker } from './lists-broker.ts'
import type { Part, PartEnvironment, PartOptions } from './part.ts'
import { runTool } from './run-tool.ts'
import { startServer } from './server-process.ts'

export type KafkaVersion = '4.4.0' | '3.9.2'

const INSTALL =
  'install a Java runtime from 17 on and Maven (Debian: apt-get install default-jre-headless ' +
  'maven), or run a broker and name it by WEIR_TESTBED_KAFKA=host:port'

export const kafkaPart: Part = kafkaPartOf('4.4.0', true)

/** The part in another version, or with listeners that want TLS and passwords. */
export function kafkaPartOf(version: KafkaVersion, isSecure = false): Part {
  return {
    name: 'kafka',
    title: `Kafka ${version}`,
    foundBy: 'WEIR_TESTBED_KAFKA',
    install: async () => void (await jars(version)),
    start: options => startKafka(options, version, isSecure),
  }
}

function jars(version: KafkaVersion): Promise<string> {
  return fetchJars({
    name: `kafka-${version}`,
    install: INSTALL,
    jars: [
      { group: 'org.apache.kafka', name: 'kafka_2.13', version },
      // Without it the broker says nothing at all.
      { group: 'org.slf4j', name: 'slf4j-simple', version: '1.7.36' },
    ],
  })
}

async function startKafka(
  { folder, owner }: PartOptions,
  version: KafkaVersion,
  isSecure: boolean,
): Promise<PartEnvironment> {
  const libraries = await jars(version)
  mkdirSync(folder, { recursive: true })
  const ports = await portsOf(folder)
  const properties = join(folder, 'server.properties')
  const certificate = isSecure ? await makeCertificate(folder) : undefined
  writeFileSync(properties, brokerProperties({ version, folder, ports, certificate }))
  // Only quick compilation: half the time to start, and enough for tests.
  const java = ['java', '-Xmx320m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const log = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', `-Dkafka.logs.dir=${folder}`]
  const program = [...java, ...log, '-cp', `${libraries}/*`]
  if (!existsSync(join(folder, 'data/meta.properties'))) {
    const id = randomBytes(16).toString('base64url').replace(/^-/, 'A')
    const format = ['kafka.tools.StorageTool', 'format', '-t', id, '-c', properties]
    const users = isSecure ? scramUsers() : []
    await runTool('java', [...program.slice(1), ...format, ...users], { install: INSTALL })
  }
  await startServer({
    folder,
    owner,
    command: [...program, 'kafka.Kafka', properties],
    isReady: () => listsBroker(ports.plain),
  })
  return {
    WEIR_TESTBED_KAFKA: `127.0.0.1:${ports.plain}`,
    ...(certificate && {
      WEIR_TESTBED_KAFKA_SASL: `127.0.0.1:${ports.sasl}`,
      WEIR_TESTBED_KAFKA_SSL: `127.0.0.1:${ports.ssl}`,
      WEIR_TESTBED_KAFKA_SASL_SSL: `127.0.0.1:${ports.saslSsl}`,
      WEIR_TESTBED_KAFKA_CA: join(folder, 'ca.pem'),
    }),
  }
}

function scramUsers(): readonly string[] {
  return ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
    '--add-scram',
    `${mechanism}=[name=alice,password=${kafkaPasswords.alice}]`,
  ])
}

/** The same after a restart: clients go on. */
async function portsOf(folder: string): Promise<KafkaPorts> {
  const file = join(folder, 'ports.json')
  if (!existsSync(file)) {
    const [plain, controller, sasl, ssl, saslSsl] = await freePorts(5)
    writeFileSync(file, JSON.stringify({ plain, controller, sasl, ssl, saslSsl }))
  }
  return JSON.parse(readFileSync(file, 'utf8')) as KafkaPorts
}

/** A key store in PEM: the key and the certificate in one file. */
async function makeCertificate(folder: string): Promise<string> {
  const store = join(folder, 'store.pem')
  if (existsSync(store)) return store
  const key = join(folder, 'key.pem')
  const certificate = join(folder, 'ca.pem')
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  await runTool('openssl', [...request, ...names, '-keyout', key, '-out', certificate], {
    install: 'install openssl',
  })
  writeFileSync(store, readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'))
  return store
}
