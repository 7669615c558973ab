/** The errors of the Kafka connector. */
import { defineErrors } from '../../common/errors.ts'

/** Where a record stands. */
export interface KafkaPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

const place = (e: KafkaPlace): string => `${e.topic}-${e.partition} at offset ${e.offset}`

export const kafkaErrors = defineErrors({
  WEIR_KAFKA_OPTION_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { option: string; value: string; expected: string }) =>
      `the option ${e.option} of a Kafka source or sink is ${e.value}, expected ${e.expected}`,
    next: 'correct the option',
  },
  WEIR_KAFKA_UNREACHABLE: {
    domain: 'external',
    retry: 'later',
    message: (e: { brokers: string; reason: string }) =>
      `no broker of ${e.brokers} answers: ${e.reason}`,
    next: 'see that a broker runs there, and that its advertised addresses lead there from here',
  },
  WEIR_KAFKA_HANDSHAKE: {
    domain: 'user',
    retry: 'never',
    message: (e: { broker: string; reason: string }) =>
      `${e.broker} takes connections, but not ours: ${e.reason}`,
    next: 'see whether the port wants TLS (option tls) or a password (option sasl), and which CA',
  },
  WEIR_KAFKA_CREDENTIALS: {
    domain: 'user',
    retry: 'never',
    message: (e: { broker: string; mechanism: string; reason: string }) =>
      `${e.broker} refused to authenticate by ${e.mechanism}: ${e.reason}`,
    next: 'correct the mechanism, the user name and password, or the token in the option sasl',
  },
  WEIR_KAFKA_DENIED: {
    domain: 'user',
    retry: 'never',
    message: (e: { what: string; reason: string }) => `not allowed to use ${e.what}: ${e.reason}`,
    next: 'give the user of the connection the right (kafka-acls), or use another user',
  },
  WEIR_KAFKA_BROKER_TOO_OLD: {
    domain: 'user',
    retry: 'never',
    message: (e: { broker: string; request: string; version: number; served: string }) =>
      `${e.broker} does not know ${e.request} in version ${e.version}; it serves ${e.served}`,
    next: 'use a broker from Kafka 2.4 on',
  },
  WEIR_KAFKA_TOPIC_MISSING: {
    domain: 'user',
    retry: 'never',
    message: (e: { topics: string }) => `there is no topic ${e.topics}`,
    next: 'create the topic, or correct its name; a deleted one cannot be read to its end',
  },
  WEIR_KAFKA_END_BEFORE_START: {
    domain: 'user',
    retry: 'never',
    message: (e: { partition: string; start: number; stop: number }) =>
      `${e.partition} was to be read from offset ${e.start} on, but to end before ${e.stop}`,
    next:
      'correct start or stop of the source. Nothing would be read: the start may lie behind the ' +
      'last record, or retention has deleted all before the end',
  },
  WEIR_KAFKA_OFFSET_OUT_OF_RANGE: {
    domain: 'external',
    retry: 'never',
    message: (e: KafkaPlace & { begin: number; end: number }) =>
      `${place(e)} cannot be read: the broker has ${e.begin} to ${e.end}; records are lost`,
    next:
      'the records were deleted before they were read (retention), or the topic was made anew. ' +
      "To go on with what is there, set onOutOfRange of the source to 'earliest' or 'latest'",
  },
  WEIR_KAFKA_BATCH_DAMAGED: {
    domain: 'external',
    retry: 'later',
    message: (e: KafkaPlace & { reason: string }) => `the batch in ${place(e)} is bad: ${e.reason}`,
    next: 'if it stays so, the log of the broker is damaged: start the source behind it',
  },
  WEIR_KAFKA_NULL_VALUE: {
    domain: 'external',
    retry: 'never',
    message: (e: KafkaPlace) => `the record in ${place(e)} has no value`,
    next: 'take such records by the option read, which sees key and value as they are',
  },
  WEIR_KAFKA_MESSAGE_TOO_LARGE: {
    domain: 'external',
    retry: 'never',
    message: (e: { topic: string; partition: number; bytes: number }) =>
      `${e.topic}-${e.partition} does not take a batch of ${e.bytes} bytes`,
    next: 'raise max.message.bytes of the topic; with small records, lower batchBytes of the sink',
  },
  WEIR_KAFKA_PARTITION_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { topic: string; partition: number; count: number }) =>
      `partition ${e.partition} was chosen for a record, but ${e.topic} has ${e.count}`,
    next: 'let the option partition of the sink give a number below its second argument',
  },
  WEIR_KAFKA_TRANSACTION_ENDED: {
    domain: 'external',
    retry: 'later',
    message: (e: { transactionalId: string; reason: string }) =>
      `the broker ended the open transaction ${e.transactionalId}: ${e.reason}`,
    next:
      'nothing is lost: its records are written again from the last checkpoint. If it happens ' +
      'again, raise transactionTimeout of the sink, or see that the job does not run twice',
  },
  WEIR_KAFKA_WRITER_SUCCEEDED: {
    domain: 'external',
    retry: 'later',
    message: (e: { prefix: string; writer: number }) =>
      `another process began to write as writer ${e.writer} of ${e.prefix} after this one`,
    next:
      'after a failure that is normal, and this process ends. If it happens again, the job runs ' +
      'twice: end one, or give one another transactionalIdPrefix',
  },
  WEIR_KAFKA_TRANSACTION_LOST: {
    domain: 'external',
    retry: 'never',
    message: (e: {
      transactionalId: string
      partitions: string
      records: number
      reason: string
    }) =>
      `${e.records} records in ${e.partitions} are lost: the broker had ended the transaction ` +
      `${e.transactionalId} before it was committed (${e.reason})`,
    next:
      'restore the checkpoint before to write them again; to go on without them set ' +
      "onLostTransaction of the sink to 'continue'. Let transactionTimeout exceed any outage",
  },
  WEIR_KAFKA_TRANSACTION_UNCLEAR: {
    domain: 'external',
    retry: 'never',
    message: (e: { transactionalId: string; partitions: string; records: number }) =>
      `nobody can tell whether ${e.records} records in ${e.partitions} were committed: the ` +
      `brokers have forgotten the transaction ${e.transactionalId}, and the topic may not be read`,
    next:
      'give the user of the sink the right Read on its topics: what is there tells. Or set ' +
      "onLostTransaction of the sink to 'continue' to go on with what there may be",
  },
  WEIR_KAFKA_TRANSACTION_TIMEOUT: {
    domain: 'user',
    retry: 'never',
    message: (e: { timeoutMs: number; limitMs: number | undefined }) =>
      `the brokers do not allow transactions of ${e.timeoutMs} ms` +
      (e.limitMs === undefined ? '' : `, but of ${e.limitMs} ms`),
    next: 'lower transactionTimeout of the sink, or raise transaction.max.timeout.ms of brokers',
  },
  WEIR_KAFKA_TRANSACTION_TIMEOUT_SHORT: {
    domain: 'user',
    retry: 'never',
    message: (e: {
      timeout: string
      needed: string
      interval: string
      checkpointTimeout: string
      downtime: string
      limit: string | undefined
    }) =>
      `transactionTimeout of the Kafka sink is ${e.timeout}, but a transaction may have to live ` +
      `for ${e.needed}: ${e.interval} between checkpoints, ${e.checkpointTimeout} until one is ` +
      `given up, ${e.downtime} of expectedDowntime` +
      (e.limit === undefined ? '' : `; the brokers allow ${e.limit}`),
    next:
      'raise transactionTimeout, with transaction.max.timeout.ms of the brokers where needed, or ' +
      'lower interval and timeout of spec.checkpoint, or expectedDowntime of the sink',
  },
  WEIR_KAFKA_REQUEST_FAILED: {
    domain: 'external',
    retry: 'later',
    message: (e: { request: string; what: string; reason: string }) =>
      `${e.request} for ${e.what}: ${e.reason}`,
    next: 'see the log of the broker; the job goes on from its last checkpoint',
  },
})
