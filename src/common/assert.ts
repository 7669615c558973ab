/**
 * Asserts for programmer errors. They stay on in production: a broken invariant fails the smallest
 * unit (the task), never corrupts a checkpoint.
 */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws {@link AssertionError} unless the condition holds. `message` names the invariant. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** For the `default` of an exhaustive switch: the compiler refuses a call with a live case. */
export function assertNever(value: never, what = 'case'): never {
  throw new AssertionError(`unexpected ${what}: ${JSON.stringify(value)}`)
}

/** Returns the value, or throws when it is `undefined` or `null`. */
export function assertDefined<T>(value: T | undefined | null, message: string): T {
  if (value === undefined || value === null) throw new AssertionError(message)
  return value
}
