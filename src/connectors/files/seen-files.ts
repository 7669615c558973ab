/**
 * The files that a source knows, so that each is read once. With `forgetMs` those that have been
 * gone for so long are forgotten: else the list, and each checkpoint with it, grows for ever.
 *
 * Owns        the list, and since when a file of it has been gone: anew after a restore.
 * Leaves out  listing, and the clock.
 */
export class SeenFiles {
  readonly #forgetMs: number
  readonly #seen: Set<string>
  readonly #goneSinceMs = new Map<string, number>()

  /** `forgetMs`: `undefined` for never. */
  constructor(paths: readonly string[], forgetMs: number | undefined) {
    this.#seen = new Set(paths)
    this.#forgetMs = forgetMs ?? Number.POSITIVE_INFINITY
  }

  get paths(): readonly string[] {
    return [...this.#seen]
  }

  has(path: string): boolean {
    return this.#seen.has(path)
  }

  add(path: string): void {
    this.#seen.add(path)
  }

  /** What a listing at this time has found. `isNeeded`: a file of which more is to be read. */
  listed(found: ReadonlySet<string>, nowMs: number, isNeeded: (path: string) => boolean): void {
    if (this.#forgetMs === Number.POSITIVE_INFINITY) return
    for (const path of this.#seen) {
      if (found.has(path) || isNeeded(path)) {
        this.#goneSinceMs.delete(path)
        continue
      }
      const sinceMs = this.#goneSinceMs.get(path) ?? nowMs
      this.#goneSinceMs.set(path, sinceMs)
      if (nowMs - sinceMs < this.#forgetMs) continue
      this.#seen.delete(path)
      this.#goneSinceMs.delete(path)
    }
  }
}
