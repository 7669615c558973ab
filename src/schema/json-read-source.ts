/**
 * The source of a JSON reader while it is being put together: what is common to all kinds of
 * values.
 *
 * The generated code keeps its place in `p`. Text that must come next (braces, keys, literals) is
 * collected and compared at once, when a value of varying text follows.
 */
import { byteText, differs } from './json-match.ts'
import type { SourceBuilder } from './source-builder.ts'

export class ReadSource {
  readonly #b: SourceBuilder
  #pending = ''
  /** What the code does when the record is not in the form it was made for. */
  miss: string
  /** The most bytes that are looked at without comparing `p` with the end of the record. */
  reach = 0

  constructor(b: SourceBuilder, miss: string) {
    this.#b = b
    this.miss = miss
  }

  line(...lines: readonly string[]): void {
    this.#b.line(...lines)
  }

  name(prefix: string): string {
    return this.#b.name(prefix)
  }

  constant(value: unknown, prefix?: string): string {
    return this.#b.constant(value, prefix)
  }

  hold(expression: string): string {
    const name = this.name('v')
    this.line(`const ${name} = ${expression}`)
    return name
  }

  differs(text: string): string {
    const bytes = byteText(text)
    this.reach += bytes.length + 8
    return differs(bytes)
  }

  /** The condition that `text` comes next; `p` is behind it when it holds. */
  matches(text: string): string {
    return `!(${this.differs(text)}) && ((p += ${Buffer.byteLength(text)}), true)`
  }

  /** The text that must come next. */
  expect(text: string): void {
    this.#pending += text
  }

  /** Compares the expected text; `p` is behind it afterwards. */
  flush(): void {
    // The digits of a number, read without looking at the end.
    this.reach += 32
    const text = this.#pending
    this.#pending = ''
    if (text === '') return
    this.line(`if (${this.differs(text)}) ${this.miss}`, `p += ${Buffer.byteLength(text)}`)
  }
}
