/**
 * The checkpoint coordinator: decides when a checkpoint starts, completes, expires or is given up.
 *
 * Owns        pending checkpoints, the next id, the retained ones, the count of failures.
 * Leaves out  bytes (parts are opaque), sockets, timers, the store. The caller performs each
 *             decision in order and reports back with an event.
 *
 * Invariants, asserted where they could break:
 *  C1  Ids only grow, also over restarts: each is above every id ever reserved.
 *  C2  A checkpoint completes once, after every subtask acknowledged it.
 *  C3  `complete(n)` is decided only after its metadata was stored and its generation verified: a
 *      sink commits only what a restart would find again, and never against a newer JobManager.
 *  C4  Once n completed, no checkpoint older than n is pending (savepoints are nobody's rivals).
 *  C5  After `stop` requests are refused and nothing else is decided: a stale generation neither
 *      completes nor deletes anything.
 *  C6  Every checkpoint that was begun ends in exactly one `complete`, `savepoint-done` or `abort`,
 *      unless a newer generation takes over.
 *  C7  A checkpoint whose metadata may be in the store keeps its files until a newer one completed.
 *  C8  Where barriers may overtake data, one snapshot is pending at a time; savepoints and the
 *      final checkpoint are aligned all the same.
 *  C9  A savepoint commits only where it ends the job; if that one fails, the attempt does: its
 *      sources have ended, and only a restart lets the job go on.
 *  C10 While some subtasks start again no checkpoint is begun, and none is pending but those whose
 *      metadata may be in the store: all had acknowledged these, and they end one way or the other.
 *
 * Source: Carbone et al., "Lightweight Asynchronous Snapshots for Distributed Dataflows" (2015),
 * after Chandy and Lamport, "Distributed Snapshots" (1985).
 */
import { assert, assertNever } from '../common/assert.ts'
import { formatDuration } from '../common/duration.ts'
import { addCompleted, type CompletedCheckpoint } from './completed-checkpoints.ts'
import {
  type CoordinatorDecision,
  type CoordinatorEvent,
  type CoordinatorOptions,
  type CoordinatorState,
  canExpire,
  earliestTriggerMs,
  hasRoom,
  isRecoveryPoint,
  mayExist,
  type Part,
  type PendingCheckpoint,
  type PendingStep,
  type RequestOutcome,
  type SnapshotKind,
  type Step,
} from './coordinator-state.ts'

/** A user can ask for savepoints faster than they complete; beyond this many he is told to wait. */
const REQUESTED_PENDING_MAX = 8
/** A failed final checkpoint is tried again after so long: nothing else is left to do. */
const FINAL_RETRY_MS = 1_000
const LAST_IS_STORED = 'the job is ending: its last snapshot is being stored'
/** Subtasks named in a message about an expired checkpoint. */
const NAMED_MISSING_MAX = 5

export interface CoordinatorStart {
  readonly options: CoordinatorOptions
  /** The highest id that any generation reserved; 0 when there was none. */
  readonly lastId: number
  readonly completed: readonly CompletedCheckpoint[]
}

/** The state before the first event. */
export function startCoordinator(start: CoordinatorStart): CoordinatorState {
  const newest = start.completed.at(-1)?.id ?? 0
  return {
    options: start.options,
    phase: 'waiting',
    finalKind: 'checkpoint',
    tasks: new Set(),
    lastId: Math.max(start.lastId, newest),
    pending: new Map(),
    waiting: [],
    completed: start.completed,
    dueAtMs: Number.POSITIVE_INFINITY,
    doubtful: [],
    lastCompletionMs: Number.NEGATIVE_INFINITY,
    failuresInRow: 0,
  }
}

/** Takes one event; the decisions are to be performed in their order. */
export function coordinate(state: CoordinatorState, event: CoordinatorEvent): Step {
  if (state.phase === 'stopped') return onStopped(state, event)
  switch (event.kind) {
    case 'running':
      return onRunning(state, event.tasks, event.nowMs)
    case 'tick':
      return onTick(state, event.nowMs)
    case 'requested':
      return onRequested(state, event)
    case 'drained':
      return onDrained(state, event)
    case 'id-reserved':
      return onIdReserved(state, event.id)
    case 'acknowledged':
      return onAcknowledged(state, event)
    case 'metadata-written':
      return onMetadataWritten(state, event.id)
    case 'generation-verified':
      return onVerified(state, event.id, event.nowMs)
    case 'failed':
    case 'declined':
      return onFailed(state, { ...event, counts: event.kind === 'failed' })
    case 'paused':
      return onPaused(state, event.reason)
    case 'fenced':
      return onFenced(state, event.by)
    case 'halted':
      return onHalted(state, event.reason)
    default:
      return assertNever(event)
  }
}

function onRunning(state: CoordinatorState, tasks: readonly string[], nowMs: number): Step {
  assert(state.phase === 'waiting', 'C10: subtasks start to run while nothing is begun')
  const { intervalMs } = state.options
  const nextMs = intervalMs === undefined ? Number.POSITIVE_INFINITY : nowMs + intervalMs
  // One that was due before some of them started again is still due.
  const dueAtMs = Math.min(state.dueAtMs, nextMs)
  return still({ ...state, phase: 'active', tasks: new Set(tasks), dueAtMs })
}

function onPaused(state: CoordinatorState, reason: string): Step {
  assert(state.phase !== 'finishing', 'C10: at the end of the job all subtasks start again')
  const begun = [...state.pending.values()].filter(pending => !mayExist(pending))
  return giveUpAll({ ...state, phase: 'waiting' }, reason, begun)
}

function onTick(state: CoordinatorState, nowMs: number): Step {
  let step = still(state)
  for (const pending of state.pending.values()) {
    if (canExpire(pending) && nowMs >= pending.triggeredAtMs + state.options.timeoutMs) {
      const reason = expiry(state, pending)
      const failure = { id: pending.id, reason, nowMs, counts: true }
      step = then(step, current => giveUp(current, failure))
    }
  }
  return then(step, current => triggerNext(current, nowMs))
}

function expiry(state: CoordinatorState, pending: PendingCheckpoint): string {
  const missing = [...state.tasks].filter(task => !pending.acknowledged.has(task))
  const named = missing.slice(0, NAMED_MISSING_MAX).join(', ')
  const others = missing.length > NAMED_MISSING_MAX ? ' and others' : ''
  const waited = formatDuration(state.options.timeoutMs)
  return `it did not finish in ${waited}: nothing from ${named}${others}`
}

/** What was asked for comes first; it waits only where snapshots are taken one by one. */
function triggerNext(state: CoordinatorState, nowMs: number): Step {
  if (state.phase === 'waiting') return still(state)
  const [request, ...waiting] = state.waiting
  if (request === undefined || state.phase === 'stopped') return triggerIfDue(state, nowMs)
  if (state.pending.size > 0) return still(state)
  const { snapshot, requestId } = request
  return begin({ ...state, waiting }, { kind: snapshot, final: false, nowMs, requestId })
}

/** A tick, or the end of another checkpoint, may be the moment for the next periodic one. */
function triggerIfDue(state: CoordinatorState, nowMs: number): Step {
  if (state.phase !== 'active' && state.phase !== 'finishing') return still(state)
  if (!hasRoom(state) || nowMs < earliestTriggerMs(state)) return still(state)
  const { intervalMs } = state.options
  const finishing = state.phase === 'finishing'
  // Counted from this trigger: what was missed while there was no room is not made up for.
  const dueAtMs =
    finishing || intervalMs === undefined ? Number.POSITIVE_INFINITY : nowMs + intervalMs
  const kind = finishing ? state.finalKind : 'checkpoint'
  return begin({ ...state, dueAtMs }, { kind, final: finishing, nowMs })
}

interface Beginning {
  readonly kind: SnapshotKind
  readonly final: boolean
  readonly nowMs: number
  readonly requestId?: string
}

function begin(state: CoordinatorState, beginning: Beginning): Step {
  const id = state.lastId + 1
  assert(!state.pending.has(id), 'C1: an id is never used again')
  const isAlone = state.pending.size === 0
  assert(isAlone || !state.options.overtaking, 'C8: one at a time where barriers overtake')
  const pending: PendingCheckpoint = {
    id,
    kind: beginning.kind,
    final: beginning.final,
    step: 'reserving',
    triggeredAtMs: beginning.nowMs,
    acknowledged: new Map(),
    requestId: beginning.requestId,
  }
  return {
    state: withPending({ ...state, lastId: id }, pending),
    decisions: [{ kind: 'reserve-id', id, snapshot: pending.kind }],
  }
}

function onRequested(
  state: CoordinatorState,
  request: { readonly snapshot: SnapshotKind; readonly requestId: string; readonly nowMs: number },
): Step {
  const { requestId, snapshot, nowMs } = request
  const pending = [...state.pending.values()].filter(p => p.requestId !== undefined).length
  const requested = pending + state.waiting.length
  const ready = state.phase === 'finishing' ? makeWay(state, nowMs) : still(state)
  const refusal =
    state.phase === 'waiting'
      ? 'not all subtasks are running'
      : requested >= REQUESTED_PENDING_MAX
        ? `${requested} snapshots that were asked for are still pending`
        : undefined
  if (ready === undefined || refusal !== undefined) {
    return refuse(state, requestId, refusal ?? LAST_IS_STORED)
  }
  return then(ready, current =>
    current.options.overtaking && current.pending.size > 0
      ? still({ ...current, waiting: [...current.waiting, { snapshot, requestId }] })
      : begin(current, { kind: snapshot, final: false, nowMs, requestId }),
  )
}

/**
 * All input is over, and somebody wants one more savepoint: the last checkpoint is given up for it,
 * and taken again behind it. `undefined`: that one may be in the store, so the job has ended.
 */
function makeWay(state: CoordinatorState, nowMs: number): Step | undefined {
  const last = [...state.pending.values()].find(pending => pending.final)
  if (last === undefined) return still(state)
  if (last.kind === 'savepoint' || mayExist(last)) return undefined
  const reason = 'a savepoint was asked for: it is taken again after that'
  return then(abort(state, last, { reason, failed: false }), current =>
    still({ ...current, dueAtMs: nowMs }),
  )
}

function onDrained(
  state: CoordinatorState,
  { snapshot, nowMs }: { readonly snapshot: SnapshotKind; readonly nowMs: number },
): Step {
  if (state.phase === 'finishing') return onOtherEnd(state, snapshot, nowMs)
  if (state.phase !== 'active') return still(state)
  const finishing = { ...state, phase: 'finishing', finalKind: snapshot, dueAtMs: nowMs } as const
  return triggerNext(finishing, nowMs)
}

/** The job is to end with a savepoint after all. */
function onOtherEnd(state: CoordinatorState, snapshot: SnapshotKind, nowMs: number): Step {
  const ready = snapshot === state.finalKind ? undefined : makeWay(state, nowMs)
  if (ready === undefined || snapshot === 'checkpoint') return still(state)
  return then(ready, current =>
    triggerNext({ ...current, finalKind: snapshot, dueAtMs: nowMs }, nowMs),
  )
}

function onIdReserved(state: CoordinatorState, id: number): Step {
  const pending = atStep(state, id, 'reserving')
  if (pending === undefined) return still(state)
  return {
    state: withPending(state, { ...pending, step: 'collecting' }),
    decisions: [
      {
        kind: 'trigger',
        id,
        snapshot: pending.kind,
        aligned: pending.final || pending.kind === 'savepoint',
      },
    ],
  }
}

/** A subtask finished its part. Late ones are normal: their files are removed. */
function onAcknowledged(
  state: CoordinatorState,
  ack: { readonly id: number; readonly task: string; readonly part: Part },
): Step {
  const pending = atStep(state, ack.id, 'collecting')
  if (pending === undefined) {
    // A part of something completed or being written is no leftover: only a second answer.
    const known = state.pending.has(ack.id) || state.completed.some(c => c.id === ack.id)
    return known ? still(state) : { state, decisions: [{ kind: 'discard', id: ack.id }] }
  }
  assert(state.tasks.has(ack.task), `C2: ${ack.task} is a subtask of this attempt`)
  const acknowledged = new Map(pending.acknowledged).set(ack.task, ack.part)
  if (acknowledged.size < state.tasks.size) {
    return still(withPending(state, { ...pending, acknowledged }))
  }
  // Metadata first: a sink may commit only what a restart would find again (C3).
  const { kind: snapshot, final } = pending
  return {
    state: withPending(state, { ...pending, acknowledged, step: 'writing' }),
    decisions: [{ kind: 'write-metadata', id: ack.id, snapshot, final, parts: acknowledged }],
  }
}

function onMetadataWritten(state: CoordinatorState, id: number): Step {
  const pending = atStep(state, id, 'writing')
  // Subsumed meanwhile: now that it exists, it goes the way of all that are too old.
  if (pending === undefined) return { state, decisions: [{ kind: 'delete', id }] }
  return {
    state: withPending(state, { ...pending, step: 'verifying' }),
    decisions: [{ kind: 'verify-generation', id }],
  }
}

function onVerified(state: CoordinatorState, id: number, nowMs: number): Step {
  const pending = atStep(state, id, 'verifying')
  if (pending === undefined) return still(state)
  assert(pending.acknowledged.size === state.tasks.size, 'C2: every subtask acknowledged')
  const rest = without(state, id)
  if (!isRecoveryPoint(pending)) {
    const done: CoordinatorDecision = { kind: 'savepoint-done', id }
    const decisions = [done, ...answerTo(pending, { kind: 'completed', id })]
    return then({ state: rest, decisions }, current => triggerNext(current, nowMs))
  }
  const { kind: snapshot, final } = pending
  // The user's: it is neither counted nor deleted, and replaces none that is.
  const { kept, deleted } =
    snapshot === 'savepoint'
      ? { kept: state.completed, deleted: [] }
      : addCompleted(state.completed, id, state.options.retained)
  const completed: Step = {
    state: { ...rest, completed: kept, lastCompletionMs: nowMs, failuresInRow: 0 },
    decisions: [
      { kind: 'complete', id, snapshot, final },
      ...answerTo(pending, { kind: 'completed', id }),
    ],
  }
  let step = completed
  for (const older of rest.pending.values()) {
    if (older.id < id && older.kind === 'checkpoint') step = then(step, s => subsume(s, older))
  }
  // Last: nothing is deleted before its successor is what a restart would find (C7).
  const outdated = [...step.state.doubtful, ...deleted.map(checkpoint => checkpoint.id)]
  assert(
    outdated.every(old => old < id),
    'C7: what is deleted has a newer completed successor',
  )
  step = then(step, current => ({
    state: { ...current, doubtful: [] },
    decisions: outdated.map(old => ({ kind: 'delete', id: old })),
  }))
  if (final) return then(step, current => onHalted(current, 'the job has ended'))
  assert(
    [...step.state.pending.values()].every(p => p.id > id || p.kind === 'savepoint'),
    'C4: nothing older than a completed checkpoint is pending',
  )
  return then(step, current => triggerNext(current, nowMs))
}

function subsume(state: CoordinatorState, older: PendingCheckpoint): Step {
  return abort(state, older, { reason: 'a newer checkpoint completed first', failed: false })
}

/** Ends a pending checkpoint without success. */
function abort(
  state: CoordinatorState,
  pending: PendingCheckpoint,
  { reason, failed }: { readonly reason: string; readonly failed: boolean },
): Step {
  const { id, kind } = pending
  const mayBeFound = isRecoveryPoint(pending) && mayExist(pending)
  // An id that is not reserved yet may be a newer generation's (C5), and has no files of its own.
  const keepFiles = mayBeFound || pending.step === 'reserving'
  const rest = without(state, id)
  const isDoubtful = mayBeFound && kind === 'checkpoint'
  return {
    state: isDoubtful ? { ...rest, doubtful: [...rest.doubtful, id] } : rest,
    decisions: [
      { kind: 'abort', id, reason, failed, keepFiles },
      ...answerTo(pending, { kind: 'failed', reason }),
    ],
  }
}

interface Failure {
  /** Whether it is one of those that are tolerated so many times only. */
  readonly counts: boolean
  readonly id: number
  readonly reason: string
  readonly nowMs: number
}

function onFailed(state: CoordinatorState, failure: Failure): Step {
  if (!state.pending.has(failure.id)) return still(state)
  return then(giveUp(state, failure), current => triggerNext(current, failure.nowMs))
}

/**
 * One checkpoint will not complete. Whether the job bears it depends on how many failed in a row;
 * each counts once, and a completion forgets them.
 */
function giveUp(state: CoordinatorState, { id, reason, nowMs, counts }: Failure): Step {
  const pending = state.pending.get(id)
  if (pending === undefined || state.phase === 'stopped') return still(state)
  const given = abort(state, pending, { reason, failed: counts })
  if (pending.kind === 'savepoint') {
    // Its user's matter, never the job's; but one that was to end the job (C9).
    if (!pending.final) return given
    const failed = then(given, current => ({
      state: current,
      decisions: [failJob(pending, reason)],
    }))
    return then(failed, current => onHalted(current, 'the job restarts'))
  }
  const failuresInRow = state.failuresInRow + (counts ? 1 : 0)
  const dueAtMs = pending.final ? nowMs + FINAL_RETRY_MS : state.dueAtMs
  const counted = then(given, current => still({ ...current, failuresInRow, dueAtMs }))
  if (!counts || failuresInRow <= state.options.tolerableFailures) return counted
  const tooMany = then(counted, current => ({
    state: current,
    decisions: [failJob(pending, reason)],
  }))
  return then(tooMany, current => onHalted(current, 'the job restarts'))
}

function failJob({ id, kind }: PendingCheckpoint, reason: string): CoordinatorDecision {
  return { kind: 'fail-job', reason: `${kind} ${id} failed: ${reason}` }
}

function onHalted(state: CoordinatorState, reason: string): Step {
  const { state: left, decisions } = giveUpAll(state, reason, [...state.pending.values()])
  return { state: stopped(left), decisions }
}

function giveUpAll(state: CoordinatorState, reason: string, all: PendingCheckpoint[]): Step {
  let step = still({ ...state, waiting: [] })
  for (const pending of all) {
    step = then(step, current => abort(current, pending, { reason, failed: false }))
  }
  const refused = state.waiting.map(({ requestId }) => answerFailed(requestId, reason))
  return { ...step, decisions: [...step.decisions, ...refused] }
}

function onFenced(state: CoordinatorState, by: number): Step {
  const reason = `generation ${by} of the job took over`
  const answers = [...state.pending.values()].flatMap(pending =>
    answerTo(pending, { kind: 'failed', reason }),
  )
  const refused = state.waiting.map(({ requestId }) => answerFailed(requestId, reason))
  return { state: stopped(state), decisions: [{ kind: 'stop', by }, ...answers, ...refused] }
}

function onStopped(state: CoordinatorState, event: CoordinatorEvent): Step {
  return event.kind === 'requested'
    ? refuse(state, event.requestId, 'the job is not running')
    : still(state)
}

function refuse(state: CoordinatorState, requestId: string, reason: string): Step {
  return { state, decisions: [answerFailed(requestId, reason)] }
}

function answerFailed(requestId: string, reason: string): CoordinatorDecision {
  return { kind: 'answer', requestId, outcome: { kind: 'failed', reason } }
}

function answerTo(
  pending: PendingCheckpoint,
  outcome: RequestOutcome,
): readonly CoordinatorDecision[] {
  const { requestId } = pending
  return requestId === undefined ? [] : [{ kind: 'answer', requestId, outcome }]
}

function atStep(
  state: CoordinatorState,
  id: number,
  step: PendingStep,
): PendingCheckpoint | undefined {
  const pending = state.pending.get(id)
  return pending?.step === step ? pending : undefined
}

function withPending(state: CoordinatorState, pending: PendingCheckpoint): CoordinatorState {
  return { ...state, pending: new Map(state.pending).set(pending.id, pending) }
}

function without(state: CoordinatorState, id: number): CoordinatorState {
  const pending = new Map(state.pending)
  pending.delete(id)
  return { ...state, pending }
}

function stopped(state: CoordinatorState): CoordinatorState {
  return { ...state, phase: 'stopped', pending: new Map(), waiting: [] }
}

function still(state: CoordinatorState): Step {
  return { state, decisions: [] }
}

function then(step: Step, next: (state: CoordinatorState) => Step): Step {
  const { state, decisions } = next(step.state)
  return { state, decisions: [...step.decisions, ...decisions] }
}
