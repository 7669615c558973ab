/** The settings of a broker for tests: one node, small, and quick to notice and to restart. */
import { join } from 'node:path'
import { kafkaPasswords } from './kafka-passwords.ts'

export interface KafkaPorts {
  readonly plain: number
  readonly controller: number
  readonly sasl: number
  readonly ssl: number
  readonly saslSsl: number
}

export interface BrokerSettings {
  readonly version: string
  readonly folder: string
  readonly ports: KafkaPorts
  /** The key store in PEM; with it there are listeners that want TLS and passwords. */
  readonly certificate: string | undefined
}

/** The text of `server.properties`. */
export function brokerProperties(settings: BrokerSettings): string {
  const { folder, ports, version, certificate } = settings
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${ports.controller}`,
    'controller.listener.names=CONTROLLER',
    ...listeners(ports, certificate !== undefined),
    `log.dirs=${join(folder, 'data')}`,
    'auto.create.topics.enable=false',
    // One node: every internal topic has one copy; few partitions start and stop sooner.
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=2',
    'group.initial.rebalance.delay.ms=0',
    // A killed broker may register again only when its old session (9 s by default) is over.
    'broker.session.timeout.ms=2000',
    'broker.heartbeat.interval.ms=250',
    // Transactions out of time are looked for every 10 s by default.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms=500',
    // By default the cleaner takes 128 MiB of the heap.
    'log.cleaner.dedupe.buffer.size=4194304',
    // Tests write records of any time: none is too old to stay.
    'log.retention.ms=-1',
    'num.network.threads=2',
    'num.io.threads=4',
    'log.index.size.max.bytes=1048576',
  ]
  if (!version.startsWith('3.')) {
    lines.push(
      'share.coordinator.state.topic.replication.factor=1',
      'share.coordinator.state.topic.min.isr=1',
      'share.coordinator.state.topic.num.partitions=1',
    )
  }
  if (certificate !== undefined) lines.push(...security(certificate))
  return `${lines.join('\n')}\n`
}

function listeners(ports: KafkaPorts, isSecure: boolean): readonly string[] {
  const clients = [`PLAINTEXT://127.0.0.1:${ports.plain}`]
  if (isSecure) {
    clients.push(
      `SASL_PLAINTEXT://127.0.0.1:${ports.sasl}`,
      `SSL://127.0.0.1:${ports.ssl}`,
      `SASL_SSL://127.0.0.1:${ports.saslSsl}`,
    )
  }
  const protocols = ['PLAINTEXT', 'SASL_PLAINTEXT', 'SSL', 'SASL_SSL']
  return [
    `listeners=${clients.join(',')},CONTROLLER://127.0.0.1:${ports.controller}`,
    `advertised.listeners=${clients.join(',')}`,
    `listener.security.protocol.map=CONTROLLER:PLAINTEXT,${protocols.map(p => `${p}:${p}`).join(',')}`,
    'inter.broker.listener.name=PLAINTEXT',
  ]
}

function security(certificate: string): readonly string[] {
  const modules = 'org.apache.kafka.common.security'
  const bob = `user_bob="${kafkaPasswords.bob}"`
  return [
    'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    ...['sasl_plaintext', 'sasl_ssl'].flatMap(name => [
      `listener.name.${name}.plain.sasl.jaas.config=${modules}.plain.PlainLoginModule required ${bob};`,
      `listener.name.${name}.scram-sha-256.sasl.jaas.config=${modules}.scram.ScramLoginModule required;`,
      `listener.name.${name}.scram-sha-512.sasl.jaas.config=${modules}.scram.ScramLoginModule required;`,
      // Takes tokens that nobody signed: it looks at their subject and their times only.
      `listener.name.${name}.oauthbearer.sasl.jaas.config=${modules}.oauthbearer.OAuthBearerLoginModule required;`,
    ]),
    // What has no rule is open to all, and who comes without a name may do everything.
    'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found=true',
    'super.users=User:ANONYMOUS',
    'ssl.keystore.type=PEM',
    `ssl.keystore.location=${certificate}`,
  ]
}
