/** The errors of the schema room. */
import { defineErrors } from '../common/errors.ts'

interface Unsupported {
  readonly path: string
  readonly what: string
  readonly hint: string
}

export const schemaErrors = defineErrors({
  WEIR_SCHEMA_UNSUPPORTED: {
    domain: 'user',
    retry: 'never',
    message: (e: Unsupported) => `the schema at ${e.path} cannot be used: ${e.what}`,
    next: (e: Unsupported) => e.hint,
  },
  WEIR_VALUE_UNSERIALIZABLE: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string; type: string; value: string }) =>
      `${e.path === 'the value' ? e.path : `the value at ${e.path}`} is not ${e.type}: ${e.value}`,
    next:
      'make the function that produced the value return what the schema says, ' +
      'or widen the schema',
  },
  WEIR_RECORD_UNPARSABLE: {
    domain: 'external',
    retry: 'never',
    message: (e: { path: string; reason: string; excerpt: string }) =>
      `cannot read a record at ${e.path}: ${e.reason}; it starts ${e.excerpt}`,
    next:
      'mend the input, widen the schema, or give the source an error policy: ' +
      'skip or dead letter',
  },
  WEIR_SCHEMA_INCOMPATIBLE: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string; reason: string }) =>
      `stored values cannot become the new type: ${e.path}: ${e.reason}`,
    next: 'keep the old field, give new fields a default, or migrate the state in code',
  },
})
