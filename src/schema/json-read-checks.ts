/**
 * Source of the code that does what zod checks after a value's type: ranges, lengths, refinements.
 */
import type { ReadSource } from './json-read-source.ts'
import type { TypeNode, ZodCheck, ZodPayload } from './type-node.ts'

/** Emits the checks of `node` on `value`; gives the checked value, which zod may have changed. */
export function readChecks(s: ReadSource, node: TypeNode, value: string): string {
  let checked = value
  for (const check of node.checks) {
    const definition = check._zod.def
    const implied = IMPLIED[node.kind] ?? []
    if (definition.check === 'number_format' && implied.includes(definition.format)) continue
    const condition = simpleCondition(node.kind, definition, checked)
    if (condition !== undefined) {
      if (condition !== 'true') s.line(`if (!(${condition})) ${s.miss}`)
      continue
    }
    const payload = s.hold(`${s.constant(runCheck, 'check')}(${s.constant(check)}, ${checked})`)
    s.line(`if (${payload} === undefined) ${s.miss}`)
    checked = s.hold(`${payload}.value`)
  }
  return checked
}

/** Formats that the kind's own reader has checked. */
const IMPLIED: { readonly [kind: string]: readonly unknown[] } = {
  int32: ['int32', 'safeint'],
  int: ['safeint'],
  timestamp: ['safeint'],
  float64: ['float64'],
}

function simpleCondition(
  kind: string,
  definition: ZodCheck['_zod']['def'],
  value: string,
): string | undefined {
  const { check } = definition
  if (check === 'greater_than' || check === 'less_than') {
    const bound = definition.value
    if (typeof bound !== 'number') return undefined
    // The integers that get here have fifteen digits at most.
    const beyond = check === 'greater_than' ? bound <= -1e15 : bound >= 1e15
    if (beyond && kind in IMPLIED && kind !== 'float64') return 'true'
    const sign = check === 'greater_than' ? '>' : '<'
    return `${value} ${sign}${definition.inclusive === true ? '=' : ''} ${bound}`
  }
  if (check === 'min_length') return `${value}.length >= ${Number(definition.minimum)}`
  if (check === 'max_length') return `${value}.length <= ${Number(definition.maximum)}`
  if (check === 'length_equals') return `${value}.length === ${Number(definition.length)}`
  return undefined
}

/**
 * Runs one check as zod does; undefined when it finds fault, throws, or cannot tell at once. The
 * slow way finds out the same, and says it.
 */
function runCheck(check: ZodCheck, value: unknown): ZodPayload | undefined {
  const payload: ZodPayload = { value, issues: [] }
  try {
    const { when } = check._zod.def
    if (when !== undefined && !when(payload)) return payload
    const pending = check._zod.check(payload)
    return pending instanceof Promise || payload.issues.length > 0 ? undefined : payload
  } catch {
    return undefined
  }
}
