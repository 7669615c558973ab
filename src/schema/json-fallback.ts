/**
 * Reads a record the way that defines the meaning: `JSON.parse`, then the zod schema. The generated
 * reader calls it for every record that is not in the form it was generated for.
 */
import { schemaErrors } from './schema-errors.ts'
import { makeShaper } from './value-shaper.ts'
import type { z } from './z.ts'
import type { ZodType } from './zod-type.ts'

export type ReadText<T> = (text: string) => T

/** The made function throws WEIR_RECORD_UNPARSABLE. */
export function makeJsonFallback<T>(type: ZodType<T>): ReadText<T> {
  const shape = makeShaper(type.node)
  return text => {
    let parsed: unknown
    try {
      parsed = JSON.parse(text)
    } catch (cause) {
      throw unparsable({ path: [], message: (cause as Error).message }, text)
    }
    const result = safeParse(type, parsed, text)
    if (result.success) return shape(result.data) as T
    throw unparsable(result.error.issues[0] ?? { path: [], message: 'refused' }, text)
  }
}

/** A schema with functions of the user in it may throw: that record is bad, not the reader. */
function safeParse<T>(type: ZodType<T>, parsed: unknown, text: string): z.ZodSafeParseResult<T> {
  try {
    return type.zod.safeParse(parsed)
  } catch (cause) {
    const message = `the schema threw ${String(cause)}`
    throw unparsable({ path: [], message }, text, cause)
  }
}

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

const EXCERPT_MAX = 120

function unparsable(issue: Issue, text: string, cause?: unknown): Error {
  const path = issue.path.map(String).join('.')
  const details = {
    path: path === '' ? 'the record' : path,
    reason: issue.message,
    excerpt: JSON.stringify(text.slice(0, EXCERPT_MAX)),
  }
  return schemaErrors.WEIR_RECORD_UNPARSABLE(details, cause)
}
