/**
 * Event-time sessions with a fixed gap, the default trigger and an aggregate that merges. Results
 * are those of `WindowOperator`, at the cost of one state access a record.
 *
 * Owns        the sessions of each key, as one entry (`session-list.ts`).
 * Leaves out  the common case of a record, which `session-input.ts` deals with.
 *
 * Invariants
 *  S1  The sessions of a key neither overlap nor touch, and none of them is late.
 *  S2  Each session has a timer at or before its next deed: firing, or going. Timers are not moved
 *      when a session grows; one that comes too early registers the next.
 */
import { valueState } from '../../../api/state-descriptor.ts'
import { requireTimestamp } from '../../../api/windows/window-arithmetic.ts'
import { assertDefined } from '../../../common/assert.ts'
import { cloneFunction } from '../../../common/clone-function.ts'
import type { InternalValueState } from '../../../state/keyed-state-backend.ts'
import type { InternalTimerService } from '../../internal-timer-service.ts'
import type { OperatorContext, Push } from '../../stream-operator.ts'
import { makeErrorHandler } from '../../user-function-errors.ts'
import { AbstractStreamOperator } from '../abstract-stream-operator.ts'
import { makeCollector } from '../output-collector.ts'
import { type AggregateWindowSpec, type Combiner, makeCombiner } from './combiner.ts'
import { makeLateOutput } from './late-output.ts'
import { sessionInput } from './session-input.ts'
import { type OpenSession, type SessionList, sessionListType } from './session-list.ts'
import { makeFire } from './window-body.ts'
import type { FireWindow } from './window-contents.ts'

interface Parts {
  readonly state: InternalValueState<SessionList>
  readonly timers: InternalTimerService
  readonly fire: FireWindow
  readonly late: Push
}

export class SessionWindowOperator extends AbstractStreamOperator {
  readonly #spec: AggregateWindowSpec
  readonly #combiner: Combiner
  readonly #gapMs: number
  readonly #latenessMs: number
  #opened: Parts | undefined

  constructor(context: OperatorContext, spec: AggregateWindowSpec) {
    super(context)
    const { assigner, allowedLatenessMs } = spec.window
    const { contents } = spec
    this.#spec = spec
    const gapMs = assigner.shape.kind === 'session' ? assigner.shape.gapMs : undefined
    this.#gapMs = assertDefined(gapMs, 'sessions have a fixed gap')
    this.#latenessMs = allowedLatenessMs
    const combiner = makeCombiner(contents, context.inputTypes[0])
    this.#combiner = assertDefined(combiner, 'accumulators of sessions merge')
  }

  open(): void | Promise<void> {
    const { context } = this
    const { fn, window } = this.#spec
    const backend = context.keyedState()
    const collector = makeCollector(context)
    this.collector = collector
    const state = backend.state(
      '$sessions',
      valueState(sessionListType(this.#combiner.type)),
    ) as InternalValueState<SessionList>
    const timers = this.openTimers({
      onEventTime: (_namespace, timestamp) => this.#onTimer(timestamp),
      onProcessingTime: () => {},
    })
    const { fire } = makeFire(fn, { context, backend, timers, collector })
    this.#opened = { state, timers, fire, late: makeLateOutput(context, window.lateTag) }
    const input = cloneFunction(sessionInput)({
      select: this.selector(0),
      backend,
      state,
      combiner: this.#combiner,
      gapMs: this.#gapMs,
      timers,
      collector,
      slow: (value, timestamp) => this.#slow(value, timestamp),
      metrics: context.metrics,
      errors: makeErrorHandler(context),
    })
    this.inputs = [input]
    return fn?.open?.(context.runtime)
  }

  override close(): void | Promise<void> {
    return this.#spec.fn?.close?.()
  }

  get #parts(): Parts {
    return assertDefined(this.#opened, 'the operator is open')
  }

  /** A record that begins a session, joins several, or comes to one that has fired. */
  #slow(value: unknown, timestamp: number): void {
    const { state, late } = this.#parts
    requireTimestamp(timestamp, this.#spec.window.assigner.name)
    const sessions = state.value() ?? []
    const session = this.#sessionOf(sessions, timestamp)
    if (session === undefined) {
      late(value, timestamp)
      return
    }
    session.accumulator = this.#combiner.add(value, session.accumulator)
    // Only now: a record that its aggregate refuses must leave no empty session behind.
    if (!sessions.includes(session)) sessions.push(session)
    const isPending = session.end - 1 > this.watermark
    if (isPending && !session.isPending) this.#register(session.end - 1)
    session.isPending = isPending
    if (!isPending) {
      this.#fire(session)
      this.#register(session.end - 1 + this.#latenessMs)
    }
    state.update(sessions)
  }

  /** The session that a record belongs to, merged or made; `undefined` when the record is late. */
  #sessionOf(sessions: SessionList, timestamp: number): OpenSession | undefined {
    const end = timestamp + this.#gapMs
    const touched = sessions.filter(one => one.start <= end && timestamp <= one.end)
    const [first] = touched
    if (first === undefined) {
      if (end - 1 + this.#latenessMs <= this.watermark) return undefined
      return { start: timestamp, end, isPending: false, accumulator: undefined }
    }
    for (const other of touched) {
      if (other === first) continue
      first.start = Math.min(first.start, other.start)
      first.end = Math.max(first.end, other.end)
      first.accumulator = this.#combiner.merge(first.accumulator, other.accumulator)
      sessions.splice(sessions.indexOf(other), 1)
    }
    // What has fired needs a new timer should it grow; what is pending has one (S2).
    first.isPending = touched.some(one => one.isPending)
    first.start = Math.min(first.start, timestamp)
    first.end = Math.max(first.end, end)
    return first
  }

  #onTimer(timestamp: number): void {
    const { state } = this.#parts
    const sessions = state.value()
    if (sessions === undefined) return
    const left: SessionList = []
    for (const session of sessions) {
      const last = session.end - 1
      if (session.isPending && last <= timestamp) {
        this.#fire(session)
        session.isPending = false
      }
      if (!session.isPending && last + this.#latenessMs <= timestamp) continue
      left.push(session)
      this.#register(session.isPending ? last : last + this.#latenessMs)
    }
    if (left.length === 0) state.clear()
    else state.update(left)
  }

  #fire(session: OpenSession): void {
    const { fire } = this.#parts
    const window = { start: session.start, end: session.end }
    fire(window, 0, [this.#combiner.result(session.accumulator)])
  }

  #register(timestamp: number): void {
    this.#parts.timers.registerEventTime(0, timestamp)
  }
}
