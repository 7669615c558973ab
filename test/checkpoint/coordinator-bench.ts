import { coordinate, startCoordinator } from '../../src/checkpoint/checkpoint-coordinator.ts'
import type {
  CoordinatorDecision,
  CoordinatorEvent,
  CoordinatorOptions,
  CoordinatorState,
} from '../../src/checkpoint/coordinator-state.ts'

const defaults: CoordinatorOptions = {
  intervalMs: 100,
  minPauseMs: 0,
  timeoutMs: 1_000,
  maxConcurrent: 1,
  overtaking: false,
  tolerableFailures: 0,
  retained: 1,
}

/** A coordinator whose decisions are written down, in short. */
export class CoordinatorBench {
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

  declined(id: number, reason = 'overtaken'): string[] {
    return short(this.tell({ kind: 'declined', id, reason, nowMs: this.nowMs }))
  }

  ask(requestId: string, snapshot: 'checkpoint' | 'savepoint' = 'savepoint'): string[] {
    return short(this.tell({ kind: 'requested', snapshot, requestId, nowMs: this.nowMs }))
  }

  drained(snapshot: 'checkpoint' | 'savepoint' = 'checkpoint'): string[] {
    return short(this.tell({ kind: 'drained', snapshot, nowMs: this.nowMs }))
  }

  /** Everything from the reserved id to the completion. */
  complete(id: number, tasks: readonly string[] = ['a/0', 'b/0']): string[] {
    this.reserved(id)
    for (const task of tasks) this.ack(id, task)
    this.written(id)
    return this.verified(id)
  }
}

export function short(decisions: readonly CoordinatorDecision[]): string[] {
  return decisions.map(decision => {
    switch (decision.kind) {
      case 'answer':
        return `answer ${decision.requestId} ${decision.outcome.kind}`
      case 'complete':
        return `complete ${decision.id}${decision.final ? ` final ${decision.snapshot}` : ''}`
      case 'abort':
        return `abort ${decision.id}${decision.keepFiles ? ' keeping its files' : ''}`
      case 'trigger':
        return `trigger ${decision.id}${decision.aligned ? ' aligned' : ''}`
      case 'fail-job':
        return 'fail-job'
      case 'stop':
        return `stop ${decision.by}`
      default:
        return `${decision.kind} ${decision.id}`
    }
  })
}
