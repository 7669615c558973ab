/**
 * Puts generated JavaScript together: lines, fresh names, and the constants that the code refers
 * to.
 *
 * Generated code comes from schemas only, never from records. Names out of a schema enter it
 * through {@link quote} alone, so that no name can become code.
 */
export class SourceBuilder {
  readonly #lines: string[] = []
  readonly #constants = new Map<string, unknown>()
  #names = 0

  line(...lines: readonly string[]): this {
    this.#lines.push(...lines)
    return this
  }

  /** A line here whose text is known later. */
  later(): (line: string) => void {
    const at = this.#lines.push('') - 1
    return line => {
      this.#lines[at] = line
    }
  }

  /** A name that no other part of this source uses. */
  name(prefix: string): string {
    this.#names++
    return `${prefix}${this.#names}`
  }

  /** The name under which the code sees `value`. */
  constant(value: unknown, prefix = 'k'): string {
    for (const [name, known] of this.#constants) if (Object.is(known, value)) return name
    const name = this.name(prefix)
    this.#constants.set(name, value)
    return name
  }

  get text(): string {
    return this.#lines.join('\n')
  }

  /** Runs the source, which must `return` something. Each call compiles anew: fresh feedback. */
  compile<T>(): T {
    const names = [...this.#constants.keys()]
    const make = new Function(...names, `'use strict'\n${this.text}`)
    return make(...this.#constants.values()) as T
  }
}

/** A JavaScript string literal. */
export function quote(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

/** `value.field`, or `value["odd name"]`. */
export function property(object: string, name: string): string {
  return IDENTIFIER.test(name) ? `${object}.${name}` : `${object}[${quote(name)}]`
}

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/

/** An object literal with all fields in one order: one hidden class for all values of a type. */
export function objectLiteral(fields: readonly (readonly [string, string])[]): string {
  return `{ ${fields.map(([name, value]) => `${quote(name)}: ${value}`).join(', ')} }`
}
