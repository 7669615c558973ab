/** Topics of Kafka as a source. */
import type { EnumeratorContext, JsonValue, ReaderContext, Source } from '../../api/source.ts'
import { durationMs } from '../../common/duration.ts'
import { bootstrapOf } from './connection-options.ts'
import { KafkaEnumerator } from './kafka-enumerator.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { KafkaReader } from './kafka-reader.ts'
import type { KafkaSplit } from './kafka-split.ts'
import type { KafkaSourceOptions } from './source-options.ts'

/**
 * A source that reads the records of topics: each partition in its order, several in parallel. Only
 * what is committed is seen. The place in each partition lies in the checkpoint, and a restored job
 * goes on there, whatever a group has noted.
 *
 * Timestamps are those of the records. Throws WEIR_KAFKA_OPTION_INVALID.
 */
export function kafkaSource<T>(options: KafkaSourceOptions<T>): Source<T, KafkaSplit> {
  checkOptions(options)
  const { name = 'kafka', stop, value, output, discoverEvery = '5m' } = options
  const discoverMs = Math.max(100, durationMs(discoverEvery))
  return {
    name,
    boundedness: stop === undefined ? 'unbounded' : 'bounded',
    output: value?.type ?? output,
    createEnumerator(context: EnumeratorContext<KafkaSplit>, state?: JsonValue) {
      const settings = { ...(options as KafkaSourceOptions<never>), discoverMs }
      return new KafkaEnumerator(context, settings, state)
    },
    createReader(context: ReaderContext) {
      return new KafkaReader(context, options)
    },
  }
}

function checkOptions(options: KafkaSourceOptions<never> | KafkaSourceOptions<unknown>): void {
  bootstrapOf(options)
  const { value, read, topics, start, group, bufferBytes = 1 << 20 } = options
  const refuse = (option: string, given: unknown, expected: string): never => {
    const text = given === undefined ? 'absent' : JSON.stringify(given)
    throw kafkaErrors.WEIR_KAFKA_OPTION_INVALID({ option, value: text, expected })
  }
  if ((value === undefined) === (read === undefined)) {
    refuse('value', value?.name, 'either value or read')
  }
  const isEmpty = Array.isArray(topics) ? topics.length === 0 : topics === ''
  if (isEmpty) refuse('topics', topics, 'the name of a topic, several, or a pattern')
  if (typeof start === 'object' && 'committed' in start && group === undefined) {
    refuse('group', group, 'the group whose offsets start: { committed } means')
  }
  if (!(bufferBytes >= 1 << 20)) refuse('bufferBytes', bufferBytes, 'at least 1048576')
}
