/**
 * The orders to rescale of one start of the job, as its user knows them: what may the job run at?
 *
 * An order that was taken holds until another one is; of one whose answer never came nobody can say
 * whether it does.
 */
export class RescaleOrders {
  /** In the order they were asked for. None before the first one was taken is left. */
  #asked: { readonly parallelism: number }[] = []
  #isHeld = false

  /** Call the result when the order was taken. */
  ask(parallelism: number): () => void {
    const order = { parallelism }
    this.#asked.push(order)
    return () => {
      const at = this.#asked.indexOf(order)
      // A later one was taken before.
      if (at === -1) return
      this.#asked = this.#asked.slice(at)
      this.#isHeld = true
    }
  }

  /** What it may be instead; `undefined`: it may run there. */
  refutes(parallelism: number): string | undefined {
    const known = this.#asked.map(order => order.parallelism)
    return this.#isHeld && !known.includes(parallelism) ? known.join(' or ') : undefined
  }
}
