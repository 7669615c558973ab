export type { KafkaConnectionOptions, KafkaSasl } from './connection-options.ts'
export type { KafkaHeader, KafkaMessage } from './kafka-message.ts'
export { kafkaSource } from './kafka-source.ts'
export type { KafkaSourceOptions, KafkaStart, KafkaStop } from './source-options.ts'
