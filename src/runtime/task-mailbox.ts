/**
 * Actions for a task's thread. They run between two records, in the order they came; one that comes
 * while they run, runs in the same go.
 */
import type { Mailbox } from './stream-operator.ts'

export class TaskMailbox implements Mailbox {
  readonly #actions: (() => void)[] = []
  #next = 0
  readonly #wake: () => void

  constructor(wake: () => void) {
    this.#wake = wake
  }

  get isEmpty(): boolean {
    return this.#actions.length === 0
  }

  submit(action: () => void): void {
    this.#actions.push(action)
    this.#wake()
  }

  /** Runs them while `mayRun` says so; the rest stays for the next time. */
  run(mayRun: () => boolean): void {
    const actions = this.#actions
    while (this.#next < actions.length && mayRun()) {
      const action = actions[this.#next] as () => void
      this.#next++
      action()
    }
    actions.splice(0, this.#next)
    this.#next = 0
  }
}
