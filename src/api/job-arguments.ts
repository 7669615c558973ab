/** The arguments of a job: `spec.job.args` of its manifest, all of them texts. */
import { type Duration, durationMs, parseDuration } from '../common/duration.ts'
import { apiErrors } from './api-errors.ts'

interface TextForm<T> {
  /** For the error: what was wanted. */
  readonly expected: string
  readonly parse: (text: string) => T | undefined
}

const wholeNumber: TextForm<number> = {
  expected: 'a whole number',
  parse: text =>
    /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined,
}

const finiteNumber: TextForm<number> = {
  expected: 'a number',
  parse: text => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined),
}

const truth: TextForm<boolean> = {
  expected: 'true or false',
  parse: text => (text === 'true' ? true : text === 'false' ? false : undefined),
}

const duration: TextForm<number> = {
  expected: 'a duration such as 30s or 5m',
  parse: parseDuration,
}

/** Texts by name, read as what the job takes them for. */
export class JobArguments {
  readonly #values: ReadonlyMap<string, string>
  readonly #read = new Set<string>()

  constructor(values: Readonly<Record<string, string>> = {}) {
    this.#values = new Map(Object.entries(values))
  }

  /** The names that were given and that nobody asked for: most likely misspelt. */
  get unread(): readonly string[] {
    return [...this.#values.keys()].filter(name => !this.#read.has(name))
  }

  /** The names that were asked for. */
  get known(): readonly string[] {
    return [...this.#read]
  }

  get(name: string): string | undefined
  get(name: string, fallback: string): string
  get(name: string, fallback?: string): string | undefined {
    this.#read.add(name)
    return this.#values.get(name) ?? fallback
  }

  /** Throws WEIR_ARGUMENT_MISSING. */
  required(name: string): string {
    const value = this.get(name)
    if (value !== undefined) return value
    throw apiErrors.WEIR_ARGUMENT_MISSING({ argument: name, given: [...this.#values.keys()] })
  }

  /** A safe integer. Throws WEIR_ARGUMENT_INVALID, and WEIR_ARGUMENT_MISSING without fallback. */
  int(name: string, fallback?: number): number {
    return this.#parsed(name, fallback, wholeNumber)
  }

  number(name: string, fallback?: number): number {
    return this.#parsed(name, fallback, finiteNumber)
  }

  boolean(name: string, fallback?: boolean): boolean {
    return this.#parsed(name, fallback, truth)
  }

  /** In ms. */
  duration(name: string, fallback?: Duration): number {
    const fallbackMs = fallback === undefined ? undefined : durationMs(fallback)
    return this.#parsed(name, fallbackMs, duration)
  }

  /** One of the given texts. */
  oneOf<const C extends string>(name: string, choices: readonly C[], fallback?: NoInfer<C>): C {
    return this.#parsed(name, fallback, {
      expected: `one of ${choices.join(', ')}`,
      parse: text => choices.find(choice => choice === text),
    })
  }

  #parsed<T>(name: string, fallback: T | undefined, form: TextForm<T>): T {
    const { expected, parse } = form
    if (fallback !== undefined && this.get(name) === undefined) return fallback
    const value = this.required(name)
    const parsed = parse(value)
    if (parsed !== undefined) return parsed
    throw apiErrors.WEIR_ARGUMENT_INVALID({ argument: name, value, expected })
  }
}
