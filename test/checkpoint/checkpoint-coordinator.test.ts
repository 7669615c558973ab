import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { coordinate, startCoordinator } from '../../src/checkpoint/checkpoint-coordinator.ts'
import {
  type CoordinatorDecision,
  type CoordinatorEvent,
  type CoordinatorOptions,
  type CoordinatorState,
  nextWakeMs,
} from '../../src/checkpoint/coordinator-state.ts'

const defaults: CoordinatorOptions = {
  intervalMs: 100,
  minPauseMs: 0,
  timeoutMs: 1_000,
  maxConcurrent: 1,
  tolerableFailures: 0,
  retained: 1,
}

/** A coordinator whose decisions are written down, in short. */
class Bench {
  state: CoordinatorState
  nowMs = 0
  readonly log: CoordinatorDecision[] = []

  constructor(options: Partial<CoordinatorOptions> = {}, start: { lastId?: number } = {}) {
    this.state = startCoordinator({
      options: { ...defaults, ...options },
      lastId: start.lastId ?? 0,
      completed: [],
    })
  }

  tell(event: CoordinatorEvent): readonly CoordinatorDecision[] {
    const { state, decisions } = coordinate(this.state, event)
    this.state = state
    this.log.push(...decisions)
    return decisions
  }

  run(tasks: readonly string[] = ['a/0', 'b/0']): this {
    this.tell({ kind: 'running', tasks, nowMs: this.nowMs })
    return this
  }

  /** Lets time pass and says what was decided. */
  at(nowMs: number): string[] {
    this.nowMs = nowMs
    return short(this.tell({ kind: 'tick', nowMs }))
  }

  reserved(id: number): string[] {
    return short(this.tell({ kind: 'id-reserved', id, nowMs: this.nowMs }))
  }

  ack(id: number, task: string): string[] {
    const { nowMs } = this
    return short(this.tell({ kind: 'acknowledged', id, task, part: `${id}:${task}`, nowMs }))
  }

  written(id: number): string[] {
    return short(this.tell({ kind: 'metadata-written', id, nowMs: this.nowMs }))
  }

  verified(id: number): string[] {
    return short(this.tell({ kind: 'generation-verified', id, nowMs: this.nowMs }))
  }

  failed(id: number, reason = 'broken'): string[] {
    return short(this.tell({ kind: 'failed', id, reason, nowMs: this.nowMs }))
  }

  ask(requestId: string, snapshot: 'checkpoint' | 'savepoint' = 'savepoint'): string[] {
    return short(this.tell({ kind: 'requested', snapshot, requestId, nowMs: this.nowMs }))
  }

  drained(): string[] {
    return short(this.tell({ kind: 'drained', nowMs: this.nowMs }))
  }

  /** Everything from the reserved id to the completion. */
  complete(id: number, tasks: readonly string[] = ['a/0', 'b/0']): string[] {
    this.reserved(id)
    for (const task of tasks) this.ack(id, task)
    this.written(id)
    return this.verified(id)
  }
}

function short(decisions: readonly CoordinatorDecision[]): string[] {
  return decisions.map(decision => {
    switch (decision.kind) {
      case 'answer':
        return `answer ${decision.requestId} ${decision.outcome.kind}`
      case 'complete':
        return `complete ${decision.id}${decision.final ? ' final' : ''}`
      case 'abort':
        return `abort ${decision.id}${decision.doubtful ? ' doubtful' : ''}`
      case 'fail-job':
        return 'fail-job'
      case 'stop':
        return `stop ${decision.by}`
      default:
        return `${decision.kind} ${decision.id}`
    }
  })
}

describe('a checkpoint', () => {
  test('goes from its id to its completion, metadata before commit', () => {
    const bench = new Bench().run()
    expect(bench.at(99)).toEqual([])
    expect(bench.at(100)).toEqual(['reserve-id 1'])
    expect(bench.reserved(1)).toEqual(['trigger 1'])
    expect(bench.ack(1, 'a/0')).toEqual([])
    expect(bench.ack(1, 'b/0')).toEqual(['write-metadata 1'])
    expect(bench.written(1)).toEqual(['verify-generation 1'])
    expect(bench.verified(1)).toEqual(['complete 1'])
    expect(bench.at(200)).toEqual(['reserve-id 2'])
  })

  test('hands every part to the metadata', () => {
    const bench = new Bench().run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'b/0')
    bench.ack(1, 'a/0')
    const write = bench.log.find(decision => decision.kind === 'write-metadata')
    expect(write?.kind === 'write-metadata' && [...write.parts].sort()).toEqual([
      ['a/0', '1:a/0'],
      ['b/0', '1:b/0'],
    ])
  })

  test('does not start before all subtasks run', () => {
    const bench = new Bench()
    expect(nextWakeMs(bench.state)).toBe(Number.POSITIVE_INFINITY)
    expect(bench.at(1_000)).toEqual([])
  })

  test('gets an id above all ids ever reserved', () => {
    const bench = new Bench({}, { lastId: 41 }).run()
    expect(bench.at(100)).toEqual(['reserve-id 42'])
  })

  test('an acknowledgement that came twice counts once', () => {
    const bench = new Bench().run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    expect(bench.ack(1, 'a/0')).toEqual([])
    expect(bench.ack(1, 'b/0')).toEqual(['write-metadata 1'])
    expect(bench.ack(1, 'b/0')).toEqual([])
  })

  test('expires after its timeout, and names who is missing', () => {
    const bench = new Bench({ tolerableFailures: 1 }).run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    expect(nextWakeMs(bench.state)).toBe(1_100)
    expect(bench.at(1_099)).toEqual([])
    expect(bench.at(1_100)).toEqual(['abort 1', 'reserve-id 2'])
    const abort = bench.log.find(decision => decision.kind === 'abort')
    expect(abort).toMatchObject({ reason: 'it did not finish in 1s: nothing from b/0' })
  })

  test('does not expire while its metadata is being written', () => {
    const bench = new Bench().run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    bench.ack(1, 'b/0')
    expect(bench.at(5_000)).toEqual([])
    expect(bench.written(1)).toEqual(['verify-generation 1'])
  })

  test('a late part of one that was given up is discarded', () => {
    const bench = new Bench({ tolerableFailures: 1 }).run()
    bench.at(100)
    bench.reserved(1)
    bench.failed(1)
    expect(bench.ack(1, 'b/0')).toEqual(['discard 1'])
  })
})

describe('the time of the next one', () => {
  test('counts from the trigger', () => {
    const bench = new Bench().run()
    bench.at(150)
    bench.complete(1)
    expect(nextWakeMs(bench.state)).toBe(250)
  })

  test('waits for room, then does not make up for what was missed', () => {
    const bench = new Bench().run()
    bench.at(100)
    bench.reserved(1)
    expect(bench.at(350)).toEqual([])
    expect(bench.complete(1)).toEqual(['complete 1', 'reserve-id 2'])
    expect(nextWakeMs(bench.state)).toBe(1_350)
  })

  test('keeps the pause after a completion', () => {
    const bench = new Bench({ minPauseMs: 80 }).run()
    bench.at(100)
    bench.nowMs = 190
    bench.complete(1)
    expect(nextWakeMs(bench.state)).toBe(270)
    expect(bench.at(269)).toEqual([])
    expect(bench.at(270)).toEqual(['reserve-id 2'])
  })

  test('without an interval none is taken but those asked for', () => {
    const bench = new Bench({ intervalMs: undefined }).run()
    expect(nextWakeMs(bench.state)).toBe(Number.POSITIVE_INFINITY)
    expect(bench.ask('r', 'checkpoint')).toEqual(['reserve-id 1'])
    expect(bench.complete(1)).toEqual(['complete 1', 'answer r completed'])
  })
})

describe('failures', () => {
  test('the first one too many fails the job and ends the coordinator', () => {
    const bench = new Bench({ tolerableFailures: 2 }).run()
    for (const id of [1, 2]) {
      bench.at(id * 100)
      expect(bench.failed(id)).toEqual([`abort ${id}`])
    }
    bench.at(300)
    expect(bench.failed(3)).toEqual(['abort 3', 'fail-job'])
    expect(bench.at(10_000)).toEqual([])
  })

  test('a completion forgets them', () => {
    const bench = new Bench({ tolerableFailures: 1 }).run()
    bench.at(100)
    bench.failed(1)
    bench.at(200)
    bench.complete(2)
    bench.at(300)
    expect(bench.failed(3)).toEqual(['abort 3'])
  })

  test('each checkpoint fails once, however many subtasks decline it', () => {
    const bench = new Bench({ tolerableFailures: 1 }).run()
    bench.at(100)
    bench.failed(1)
    expect(bench.failed(1)).toEqual([])
    expect(bench.state.failuresInRow).toBe(1)
  })

  test('one whose metadata may be stored keeps its files until the next completes', () => {
    const bench = new Bench({ tolerableFailures: 1 }).run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    bench.ack(1, 'b/0')
    expect(bench.failed(1, 'the answer got lost')).toEqual(['abort 1 doubtful'])
    bench.at(200)
    expect(bench.complete(2)).toEqual(['complete 2', 'delete 1'])
  })
})

describe('several at once', () => {
  test('a newer one that completes first subsumes the older', () => {
    const bench = new Bench({ maxConcurrent: 2 }).run()
    bench.at(100)
    bench.reserved(1)
    bench.at(200)
    expect(bench.complete(2)).toEqual(['complete 2', 'abort 1'])
    expect(bench.state.failuresInRow).toBe(0)
    expect(bench.ack(1, 'a/0')).toEqual(['discard 1'])
  })

  test('a subsumed one that is found stored afterwards is deleted', () => {
    const bench = new Bench({ maxConcurrent: 2 }).run()
    bench.at(100)
    bench.at(200)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    bench.ack(1, 'b/0')
    expect(bench.complete(2)).toEqual(['complete 2', 'abort 1 doubtful', 'delete 1'])
    expect(bench.written(1)).toEqual(['delete 1'])
  })

  test('a savepoint is not subsumed and commits nothing', () => {
    const bench = new Bench().run()
    expect(bench.ask('s')).toEqual(['reserve-id 1'])
    bench.at(100)
    expect(bench.complete(2)).toEqual(['complete 2'])
    expect(bench.complete(1)).toEqual(['savepoint-done 1', 'answer s completed'])
  })

  test('a savepoint that fails is its own matter', () => {
    const bench = new Bench().run()
    bench.ask('s')
    expect(bench.failed(1)).toEqual(['abort 1', 'answer s failed'])
  })

  test('more requests than can be served are refused', () => {
    const bench = new Bench().run()
    for (let i = 0; i < 8; i++) bench.ask(`s${i}`)
    expect(bench.ask('s8')).toEqual(['answer s8 failed'])
  })
})

describe('retention', () => {
  test('the newest stay, the others are deleted after the newer completed', () => {
    const bench = new Bench({ retained: 2 }).run()
    for (const id of [1, 2]) {
      bench.at(id * 100)
      expect(bench.complete(id)).toEqual([`complete ${id}`])
    }
    bench.at(300)
    expect(bench.complete(3)).toEqual(['complete 3', 'delete 1'])
  })

  test('what a user relies on stays', () => {
    const bench = new Bench()
    bench.state = { ...bench.state, lastId: 5, completed: [{ id: 5, pinned: true }] }
    bench.run().at(100)
    expect(bench.complete(6)).toEqual(['complete 6'])
    bench.at(200)
    expect(bench.complete(7)).toEqual(['complete 7', 'delete 6'])
  })
})

describe('the end', () => {
  test('one more checkpoint after all subtasks drained, without pause or room', () => {
    const bench = new Bench({ minPauseMs: 1_000 }).run()
    bench.at(100)
    bench.reserved(1)
    expect(bench.drained()).toEqual(['reserve-id 2'])
    expect(bench.drained()).toEqual([])
    expect(bench.complete(2)).toEqual(['complete 2 final', 'abort 1'])
    expect(bench.at(10_000)).toEqual([])
  })

  test('a final one that fails is tried again', () => {
    const bench = new Bench({ tolerableFailures: 1 }).run()
    bench.drained()
    expect(bench.failed(1)).toEqual(['abort 1'])
    expect(bench.at(999)).toEqual([])
    expect(bench.at(1_000)).toEqual(['reserve-id 2'])
    expect(bench.complete(2)).toEqual(['complete 2 final'])
  })

  test('who still waits for a savepoint then is told', () => {
    const bench = new Bench().run()
    bench.ask('s')
    bench.drained()
    expect(bench.complete(2)).toEqual(['complete 2 final', 'abort 1', 'answer s failed'])
    expect(bench.ask('t')).toEqual(['answer t failed'])
  })
})

describe('a newer generation', () => {
  test.each(['while the id is reserved', 'after the metadata was written'])(
    'seen %s stops everything: nothing is committed, aborted or deleted',
    when => {
      const bench = new Bench({ tolerableFailures: 5 }).run()
      bench.at(100)
      if (when.startsWith('after')) {
        bench.reserved(1)
        bench.ack(1, 'a/0')
        bench.ack(1, 'b/0')
        bench.written(1)
      }
      expect(short(bench.tell({ kind: 'fenced', by: 7 }))).toEqual(['stop 7'])
      expect(bench.verified(1)).toEqual([])
      expect(bench.ack(1, 'a/0')).toEqual([])
      expect(bench.at(10_000)).toEqual([])
    },
  )
})

/**
 * Events in any order that the parties could cause: each decision leaves work, of which any may be
 * done next, fail, be answered late, or never.
 */
test('any order of events keeps the invariants', () => {
  const options = fc.record({
    intervalMs: fc.constantFrom(undefined, 10, 100),
    minPauseMs: fc.constantFrom(0, 50),
    timeoutMs: fc.constantFrom(30, 500),
    maxConcurrent: fc.integer({ min: 1, max: 3 }),
    tolerableFailures: fc.integer({ min: 0, max: 5 }),
    retained: fc.integer({ min: 1, max: 3 }),
  })
  const steps = fc.array(fc.tuple(fc.nat(9), fc.nat(1_000), fc.boolean()), { maxLength: 120 })
  fc.assert(
    fc.property(options, steps, (chosen, moves) => {
      const bench = new Bench(chosen)
      const world = new World(bench)
      for (const [kind, pick, fails] of moves) world.move(kind, pick, fails)
    }),
    { numRuns: 400 },
  )
})

class World {
  readonly #bench: Bench
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

  constructor(bench: Bench) {
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
      this.#tell({ kind: 'drained', nowMs })
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
      ? ({ kind: 'failed', id, reason: 'chance', nowMs } as const)
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
        // What a restart would find is never deleted (R1), nor anything before a newer one completed.
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
    }
  }

  /** C6 */
  #end(id: number): void {
    expect(this.#begun.has(id)).toBe(true)
    expect(this.#over.has(id)).toBe(false)
    this.#over.add(id)
  }
}
