import type { Type } from './type.ts'

/** A record kept with its timestamp. */
interface Timestamped<T> {
  readonly value: T
  readonly timestamp: number
}

/**
 * The type of records kept with their timestamps. The bytes are those of an object of two fields.
 */
export function timestampedType<T>(value: Type<T>): Type<Timestamped<T>> {
  return {
    name: `{value: ${value.name}, timestamp: float64}`,
    schema: {
      kind: 'object',
      fields: [
        { name: 'value', type: value.schema },
        { name: 'timestamp', type: { kind: 'float64' } },
      ],
    },
    storage: 'object',
    write(out, element) {
      value.write(out, element.value)
      out.writeFloat64(element.timestamp)
    },
    read(input) {
      return { value: value.read(input), timestamp: input.readFloat64() }
    },
  }
}
