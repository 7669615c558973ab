/** What the parts of a task share: its time, its queues of actions, and whom it reports to. */
import type { Clock } from '../common/clock.ts'
import type { TaskListener } from './task-contract.ts'
import { TaskMailbox } from './task-mailbox.ts'

export interface ServicesOptions {
  /** For messages: `vertex name (index/parallelism)`. */
  readonly name: string
  readonly clock: Clock
  readonly listener: TaskListener
  wake(): void
  fail(error: unknown): void
}

export class TaskServices {
  readonly name: string
  readonly clock: Clock
  readonly listener: TaskListener
  /** Actions of operators: results, wake-ups. Run first, also while the output is full. */
  readonly mailbox: TaskMailbox
  /** Orders of the executor. Run when no operator is interrupted. */
  readonly orders: TaskMailbox
  readonly fail: (error: unknown) => void
  /** Processing time, the same during one turn. */
  now: number

  constructor({ name, clock, listener, wake, fail }: ServicesOptions) {
    this.name = name
    this.clock = clock
    this.listener = listener
    this.mailbox = new TaskMailbox(wake)
    this.orders = new TaskMailbox(wake)
    this.fail = fail
    this.now = clock.now()
  }

  beginTurn(): void {
    this.now = this.clock.now()
  }

  get hasWork(): boolean {
    return !this.mailbox.isEmpty || !this.orders.isEmpty
  }
}
