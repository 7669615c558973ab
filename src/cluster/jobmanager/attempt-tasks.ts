import { assert } from '../../common/assert.ts'

/** `started`, then in this order; a task may fail or be cancelled in any of them. */
export type TaskPhase = 'started' | 'running' | 'drained' | 'finished'

const order: readonly TaskPhase[] = ['started', 'running', 'drained', 'finished']

/** How far each subtask of an attempt has come. */
export class AttemptTasks {
  readonly #phases: Map<string, TaskPhase>

  constructor(tasks: readonly string[]) {
    this.#phases = new Map(tasks.map(task => [task, 'started']))
  }

  get names(): readonly string[] {
    return [...this.#phases.keys()]
  }

  /** Notes a step; says whether with it all subtasks have come at least so far. */
  reached(task: string, phase: TaskPhase): boolean {
    const before = this.#phases.get(task)
    assert(before !== undefined, `${task} is a subtask of the job`)
    assert(order.indexOf(phase) > order.indexOf(before), `${task} goes from ${before} to ${phase}`)
    this.#phases.set(task, phase)
    return this.all(phase)
  }

  /** These start again. */
  startedAgain(tasks: readonly string[]): void {
    for (const task of tasks) {
      assert(this.#phases.has(task), `${task} is a subtask of the job`)
      this.#phases.set(task, 'started')
    }
  }

  all(phase: TaskPhase): boolean {
    const wanted = order.indexOf(phase)
    return [...this.#phases.values()].every(reached => order.indexOf(reached) >= wanted)
  }
}
