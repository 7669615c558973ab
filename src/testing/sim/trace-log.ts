/** What happened in a run, a line a step. Off, it costs nothing but the call. */
export class TraceLog {
  readonly lines: string[] = []
  readonly #on: boolean

  constructor(on: boolean) {
    this.#on = on
  }

  add(atMs: number, who: string, text: string): void {
    if (this.#on) this.lines.push(`${atMs.toFixed(2).padStart(9)}  ${who.padEnd(12)} ${text}`)
  }
}
