/** Topic to topic without an edge between slots; what came from one partition goes to one. */
import { job, kafkaSink, kafkaSource, text } from 'weir'

export default job('kafka-slices', env => {
  const { args } = env
  const brokers = args.get('brokers', '127.0.0.1:9092')
  const partitions = args.int('partitions', 6)
  env
    .from(kafkaSource({ brokers, topics: args.get('input', 'input'), value: text() }))
    .uid('in')
    .to(
      kafkaSink({
        brokers,
        topic: args.get('output', 'output'),
        value: text(),
        partition: value => Number(value) % partitions,
      }),
    )
    .uid('out')
})
