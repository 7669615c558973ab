/** Several reflectors, each with a part of what is watched, as one. */
import type { Reflector } from './reflector.ts'

/** What keeps a cache like the API server. */
export type Reflection = Pick<Reflector<never>, 'run' | 'stop' | 'audit' | 'synced' | 'silentMs'>

export class Reflectors implements Reflection {
  readonly #parts: readonly Reflection[]

  constructor(parts: readonly Reflection[]) {
    this.#parts = parts
  }

  get synced(): Promise<void> {
    return Promise.all(this.#parts.map(part => part.synced)).then(() => {})
  }

  /** Of the one that has heard nothing for longest. */
  get silentMs(): number {
    return Math.max(...this.#parts.map(part => part.silentMs))
  }

  stop(): void {
    for (const part of this.#parts) part.stop()
  }

  async run(): Promise<void> {
    await Promise.all(this.#parts.map(part => part.run()))
  }

  async audit(): Promise<number> {
    let missed = 0
    for (const part of this.#parts) missed += await part.audit()
    return missed
  }
}
