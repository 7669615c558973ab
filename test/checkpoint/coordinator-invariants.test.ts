import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type CoordinatorDecision,
  type CoordinatorEvent,
  nextWakeMs,
} from '../../src/checkpoint/coordinator-state.ts'
import { CoordinatorBench } from './coordinator-bench.ts'

/**
 * Events in any order that the parties could cause: each decision leaves work, of which any may be
 * done next, fail, be answered late, or never.
 */
test('any order of events keeps the invariants C1 to C6', () => {
  const options = fc.record({
    intervalMs: fc.constantFrom(undefined, 10, 100),
    minPauseMs: fc.constantFrom(0, 50),
    timeoutMs: fc.constantFrom(30, 500),
    maxConcurrent: fc.integer({ min: 1, max: 3 }),
    overtaking: fc.boolean(),
    tolerableFailures: fc.integer({ min: 0, max: 5 }),
    retained: fc.integer({ min: 1, max: 3 }),
  })
  const steps = fc.array(fc.tuple(fc.nat(9), fc.nat(1_000), fc.boolean()), { maxLength: 120 })
  fc.assert(
    fc.property(options, steps, (chosen, moves) => {
      const bench = new CoordinatorBench(chosen)
      const world = new World(bench)
      for (const [kind, pick, fails] of moves) world.move(kind, pick, fails)
    }),
    { numRuns: 400 },
  )
})

class World {
  readonly #bench: CoordinatorBench
  readonly #tasks = ['a/0', 'a/1', 'b/0']
  #work: { readonly decision: CoordinatorDecision; readonly task?: string }[] = []
  #running = false
  #stopped = false
  readonly #stored = new Set<number>()
  readonly #verified = new Set<number>()
  readonly #acknowledged = new Map<number, Set<string>>()
  readonly #begun = new Set<number>()
  readonly #over = new Set<number>()
  readonly #answered = new Set<string>()
  #lastId = 0
  #lastCompleted = 0
  #requests = 0

  constructor(bench: CoordinatorBench) {
    this.#bench = bench
  }

  move(kind: number, pick: number, fails: boolean): void {
    const { nowMs } = this.#bench
    if (!this.#running) {
      this.#running = true
      this.#tell({ kind: 'running', tasks: this.#tasks, nowMs })
    } else if (kind === 0) {
      this.#bench.nowMs += pick % 60
      this.#tell({ kind: 'tick', nowMs: this.#bench.nowMs })
    } else if (kind === 1) {
      this.#requests++
      const snapshot = pick % 2 === 0 ? 'savepoint' : 'checkpoint'
      this.#tell({ kind: 'requested', snapshot, requestId: `r${this.#requests}`, nowMs })
      if (this.#stopped) expect(this.#answered.has(`r${this.#requests}`)).toBe(true)
    } else if (kind === 2 && pick < 60) {
      const snapshot = pick % 2 === 0 ? 'savepoint' : 'checkpoint'
      this.#tell({ kind: 'drained', snapshot, nowMs })
    } else if (kind === 3 && pick < 20) {
      this.#tell({ kind: 'fenced', by: 9 })
    } else if (this.#work.length > 0) {
      const [work] = this.#work.splice(pick % this.#work.length, 1)
      if (work !== undefined) this.#do(work.decision, work.task, fails && pick % 3 === 0)
    }
  }

  #do(decision: CoordinatorDecision, task: string | undefined, fails: boolean): void {
    const { nowMs } = this.#bench
    if (!('id' in decision)) return
    const { id } = decision
    const event = fails
      ? ({ kind: id % 3 === 0 ? 'declined' : 'failed', id, reason: 'chance', nowMs } as const)
      : this.#outcome(decision, task)
    if (event !== undefined) this.#tell(event)
  }

  #outcome(
    decision: CoordinatorDecision & { readonly id: number },
    task: string | undefined,
  ): CoordinatorEvent | undefined {
    const { nowMs } = this.#bench
    const { id } = decision
    switch (decision.kind) {
      case 'reserve-id':
        return { kind: 'id-reserved', id, nowMs }
      case 'trigger': {
        const acknowledged = this.#acknowledged.get(id) ?? new Set()
        this.#acknowledged.set(id, acknowledged.add(task as string))
        return { kind: 'acknowledged', id, task: task as string, part: 0, nowMs }
      }
      case 'write-metadata':
        this.#stored.add(id)
        return { kind: 'metadata-written', id, nowMs }
      case 'verify-generation':
        this.#verified.add(id)
        return { kind: 'generation-verified', id, nowMs }
      default:
        return undefined
    }
  }

  #tell(event: CoordinatorEvent): void {
    const wasStopped = this.#stopped
    const decisions = this.#bench.tell(event)
    for (const decision of decisions) {
      // C5: only refusals after the stop.
      if (wasStopped) expect(decision.kind).toBe('answer')
      this.#judge(decision)
      if (decision.kind === 'trigger') {
        for (const task of this.#tasks) this.#work.push({ decision, task })
      } else {
        this.#work.push({ decision })
      }
    }
    for (const pending of this.#bench.state.pending.values()) {
      // C4
      if (pending.kind === 'checkpoint') expect(pending.id).toBeGreaterThan(this.#lastCompleted)
    }
    const wake = nextWakeMs(this.#bench.state)
    // Nothing gets stuck: what is pending either waits for the store or for a time.
    for (const pending of this.#bench.state.pending.values()) {
      const waitsForStore = pending.step === 'writing' || pending.step === 'verifying'
      if (!waitsForStore) expect(wake).toBeLessThan(Number.POSITIVE_INFINITY)
    }
  }

  #judge(decision: CoordinatorDecision): void {
    switch (decision.kind) {
      case 'reserve-id':
        // C1
        expect(decision.id).toBeGreaterThan(this.#lastId)
        this.#lastId = decision.id
        this.#begun.add(decision.id)
        break
      case 'complete':
      case 'savepoint-done':
        // C2, C3
        expect(this.#acknowledged.get(decision.id)?.size).toBe(this.#tasks.length)
        expect(this.#stored.has(decision.id)).toBe(true)
        expect(this.#verified.has(decision.id)).toBe(true)
        this.#end(decision.id)
        if (decision.kind === 'complete') {
          expect(decision.id).toBeGreaterThan(this.#lastCompleted)
          this.#lastCompleted = decision.id
        }
        break
      case 'abort':
        this.#end(decision.id)
        break
      case 'delete':
        // What a restart would find is never deleted (R1), nor anything before a newer one
        // completed.
        expect(decision.id).toBeLessThan(this.#lastCompleted)
        break
      case 'answer':
        expect(this.#answered.has(decision.requestId)).toBe(false)
        this.#answered.add(decision.requestId)
        break
      case 'stop':
      case 'fail-job':
        this.#stopped = this.#bench.state.phase === 'stopped'
        break
      default:
    }
  }

  /** C6 */
  #end(id: number): void {
    expect(this.#begun.has(id)).toBe(true)
    expect(this.#over.has(id)).toBe(false)
    this.#over.add(id)
  }
}
