/**
 * Made-up records, the same for the same seed. The smallest source there is: everything but the
 * making of a record is {@link numberedSource}.
 */
import type { Source } from '../../api/source.ts'
import { quote, SourceBuilder } from '../../schema/source-builder.ts'
import type { Schema } from '../../schema/type.ts'
import { numberedSource } from '../numbered-source.ts'
import type { NumberedSplit } from '../numbered-split.ts'
import { FieldRandom } from './field-random.ts'
import type { Generator } from './generators.ts'

/** What is generated, how much and how fast. */
export interface DatagenOptions<T extends object> {
  /** The schema of the records; without it they travel by the general codec. */
  readonly type?: Schema<T>
  /** How many records; left out, the source never ends. */
  readonly rows?: number
  /** Of all subtasks together; left out, as fast as the job takes them. */
  readonly ratePerSecond?: number
  /** Default 0. Another seed gives other records. */
  readonly seed?: number
  /** How to make each field, or the whole record at once. */
  readonly fields: { readonly [K in keyof T]: Generator<T[K]> } | Generator<T>
  readonly name?: string
}

/**
 * A source of generated records. Record n depends on the seed and n only, whatever the parallelism,
 * so that a restored job goes on with exactly the records it would have got.
 *
 * ```ts
 * datagen({ rows: 1_000, fields: { id: sequence(), price: uniform(1, 100) } })
 * ```
 */
export function datagen<T extends object>(options: DatagenOptions<T>): Source<T, NumberedSplit> {
  const { fields, seed = 0 } = options
  return numberedSource({
    name: options.name ?? 'datagen',
    type: options.type,
    count: options.rows,
    ratePerSecond: options.ratePerSecond,
    makeRecordAt: () => {
      const random = new FieldRandom(seed)
      if (typeof fields === 'function') return n => fields(n, random.at(n, 0))
      return recordBuilder<T>(fields, random)
    },
  })
}

/** An object literal with all fields, so that every record has the same hidden class. */
function recordBuilder<T extends object>(
  fields: { readonly [K in keyof T]: Generator<T[K]> },
  random: FieldRandom,
): (n: number) => T {
  const b = new SourceBuilder()
  const draws = b.constant(random)
  const members = Object.entries<Generator<unknown>>(fields).map(([name, generator], i) => {
    const value = `${b.constant(generator)}(n, ${draws}.at(n, ${i}))`
    // Computed, so that a field named __proto__ is a field.
    return `[${quote(name)}]: ${value}`
  })
  b.line(`return function recordAt(n) { return { ${members.join(', ')} } }`)
  return b.compile()
}
