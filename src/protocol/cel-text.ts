/**
 * Pieces of CEL, the language in which the API server checks objects.
 */

/**
 * The milliseconds of a duration field. CEL knows hours at most: whole days are counted here. A
 * field that is no duration makes the rule fail, and its own rule says why.
 */
export function celMilliseconds(field: string): string {
  const days = `int(${field}.substring(0, ${field}.size() - 1))`
  const other = `duration(${field}).getMilliseconds()`
  return `(${field}.endsWith('d') ? ${days} * 86400000 : ${other})`
}

/** Exactly one of the fields is there. */
export function celOneOf(...fields: readonly string[]): string {
  return `[${fields.map(field => `has(self.${field})`).join(', ')}].filter(x, x).size() == 1`
}
