/**
 * Errors are an interface: a code, what was wrong with which value, and what to do next. Every room
 * declares its own with {@link defineErrors}; the reference page is held against the declarations.
 */

/** Who can mend it: the job's author, the world outside, or Weir's developers. */
export type ErrorDomain = 'user' | 'external' | 'internal'

/** Whether trying again can help. `user` errors never retry. */
export type ErrorRetry = 'never' | 'now' | 'later'

export interface ErrorDefinition<D> {
  readonly domain: ErrorDomain
  readonly retry: ErrorRetry
  /** What was wrong, with the values. No secret may appear in it. */
  readonly message: (details: D) => string
  /** What the reader should do next. */
  readonly next: string | ((details: D) => string)
}

export interface WeirErrorOptions {
  readonly code: string
  readonly domain: ErrorDomain
  readonly retry: ErrorRetry
  readonly message: string
  readonly next: string
  readonly details: unknown
  readonly cause?: unknown
}

export class WeirError extends Error {
  override readonly name = 'WeirError'
  readonly code: string
  readonly domain: ErrorDomain
  readonly retry: ErrorRetry
  readonly next: string
  readonly details: unknown

  constructor(options: WeirErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = options.code
    this.domain = options.domain
    this.retry = options.retry
    this.next = options.next
    this.details = options.details
  }

  /** The two lines a person sees, the same in the terminal, the status and the dashboard. */
  override toString(): string {
    return `${this.code}  ${this.message}\n  next: ${this.next}`
  }
}

/** Also true for an error that another copy of this class made, as happens across bundles. */
export function isWeirError(error: unknown): error is WeirError {
  return error instanceof Error && error.name === 'WeirError' && 'code' in error
}

/** What was thrown, in words. Not by `instanceof`: errors of Node may come from another realm. */
export function messageOf(thrown: unknown): string {
  const message = (thrown as { message?: unknown } | null | undefined)?.message
  return typeof message === 'string' ? message : String(thrown)
}

/** Makes the error; `cause` is the lower error it was found from. */
export type ErrorMaker<D> = (details: D, cause?: unknown) => WeirError

const registry = new Map<string, ErrorDefinition<never>>()

/** Every error declared so far, by code: the reference page and its test read it. */
export function declaredErrors(): ReadonlyMap<string, ErrorDefinition<never>> {
  return registry
}

/** Declares a room's errors; gives one maker a code. Throws when a code is declared twice. */
export function defineErrors<T extends { readonly [code: string]: ErrorDefinition<never> }>(
  definitions: T,
): { readonly [K in keyof T]: T[K] extends ErrorDefinition<infer D> ? ErrorMaker<D> : never } {
  const makers: Record<string, ErrorMaker<never>> = {}
  for (const [code, definition] of Object.entries(definitions)) {
    if (registry.has(code)) throw new Error(`error code declared twice: ${code}`)
    registry.set(code, definition)
    makers[code] = (details, cause) =>
      new WeirError({
        code,
        domain: definition.domain,
        retry: definition.retry,
        message: definition.message(details),
        next: typeof definition.next === 'function' ? definition.next(details) : definition.next,
        details,
        cause,
      })
  }
  return makers as never
}
