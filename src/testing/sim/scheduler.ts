/**
 * Simulated time: a queue of steps, each owned by a process, in the order of their times. A step
 * runs whole; a process can die or stand still between any two.
 *
 * Owns        time, the order of steps, which processes live.
 * Leaves out  what the steps do.
 *
 * Invariants
 *  S1  Equal seeds give equal runs: nothing but the seed decides the order of steps.
 *  S2  A dead process takes no step; one that stands still takes its own when it wakes, in order.
 */
import { assert } from '../../common/assert.ts'
import { SeededRandom } from '../../common/random.ts'
import type { TraceLog } from './trace-log.ts'

/** Promise turns after a step: what it resolved has run on to its next wait. */
const PROMISE_TURNS = 16
const LAST_TURNS = 500
const turnOfPromises = Promise.resolve()

export interface SimProcess {
  readonly name: string
  state: 'alive' | 'paused' | 'dead'
  /** It was paused at some time: it may be late with anything. */
  stoodStill: boolean
  /** What came while it stood still. */
  readonly held: SimStep[]
}

export interface SimStep {
  readonly atMs: number
  readonly order: number
  /** `undefined`: the world outside, which never fails. */
  readonly owner: SimProcess | undefined
  readonly action: () => void
  cancelled: boolean
}

export class Scheduler {
  readonly random: SeededRandom
  readonly trace: TraceLog
  nowMs = 0
  steps = 0
  #order = 0
  readonly #queue: SimStep[] = []

  constructor(seed: number, trace: TraceLog) {
    this.random = new SeededRandom(seed)
    this.trace = trace
  }

  spawn(name: string): SimProcess {
    return { name, state: 'alive', stoodStill: false, held: [] }
  }

  after(delayMs: number, owner: SimProcess | undefined, action: () => void): SimStep {
    this.#order++
    const atMs = this.nowMs + Math.max(0, delayMs)
    const step: SimStep = { atMs, order: this.#order, owner, action, cancelled: false }
    this.#push(step)
    return step
  }

  /** A random time from `least` on, below `least + spread`. */
  between(least: number, spread: number): number {
    return least + this.random.next() * spread
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random.next() < probability
  }

  kill(process: SimProcess): void {
    process.state = 'dead'
    process.held.length = 0
    this.note(process, 'dies')
  }

  pause(process: SimProcess): void {
    if (process.state !== 'alive') return
    process.state = 'paused'
    process.stoodStill = true
    this.note(process, 'stands still')
  }

  wake(process: SimProcess): void {
    if (process.state !== 'paused') return
    process.state = 'alive'
    this.note(process, 'wakes up')
    for (const step of process.held.splice(0)) {
      if (!step.cancelled) this.after(0, process, () => step.cancelled || step.action())
    }
  }

  note(process: SimProcess | undefined, text: string): void {
    this.trace.add(this.nowMs, process?.name ?? 'world', text)
  }

  /** Runs until `over`, or until nothing is left to do, or `steps` reach the limit. */
  async run(over: () => boolean, stepsMax: number): Promise<void> {
    while (!over() && this.steps < stepsMax) {
      // What looks like the end may be promises that are still on their way to the next step.
      for (let turn = 0; this.#queue.length === 0 && turn < LAST_TURNS; turn++) await turnOfPromises
      const step = this.#pop()
      if (step === undefined) return
      if (step.cancelled || step.owner?.state === 'dead') continue
      assert(step.atMs >= this.nowMs, 'S1: time does not go back')
      this.nowMs = step.atMs
      if (step.owner?.state === 'paused') {
        step.owner.held.push(step)
        continue
      }
      assert((step.owner?.state ?? 'alive') === 'alive', 'S2: only the living take steps')
      this.steps++
      step.action()
      for (let turn = 0; turn < PROMISE_TURNS; turn++) await turnOfPromises
    }
  }

  #push(step: SimStep): void {
    const queue = this.#queue
    let at = queue.push(step) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(step, queue[parent] as SimStep)) break
      queue[at] = queue[parent] as SimStep
      at = parent
    }
    queue[at] = step
  }

  #pop(): SimStep | undefined {
    const queue = this.#queue
    const first = queue[0]
    const last = queue.pop()
    if (last === undefined || queue.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= queue.length) break
      const right = queue[child + 1]
      if (right !== undefined && isBefore(right, queue[child] as SimStep)) child++
      if (!isBefore(queue[child] as SimStep, last)) break
      queue[at] = queue[child] as SimStep
      at = child
    }
    queue[at] = last
    return first
  }
}

function isBefore(a: SimStep, b: SimStep): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
