/** All that may happen next in a world, and what must hold of it. */
import { assert } from '../../../src/common/assert.ts'
import type { JobStart } from '../../../src/protocol/stream-job-status.ts'
import {
  atWork,
  changed,
  isOver,
  jumped,
  type Model,
  OVER,
  type Pod,
  type World,
  waiting,
  written,
} from './upgrade-world.ts'

export interface Event {
  readonly name: string
  readonly next: World
}

/** Snapshots that a generation completes at most: more would be more of the same. */
const DONE_MAX = 1

/** Everything that can happen next. */
export function eventsIn(model: Model, world: World): readonly Event[] {
  return [
    ...passes(model, world),
    ...world.pods.flatMap(pod => ofPod(model, world, pod)),
    ...ofEngine(model, world),
    ...ofPeople(model, world),
    ...ofNetwork(world),
  ]
}

/** A controller looks, and dies after each of its writes; the next may still be under way then. */
function passes(model: Model, world: World): Event[] {
  const events: Event[] = []
  const answers = atWork(world) !== undefined || waiting(world).length > 0
  for (const answered of answers ? [true, false] : [false]) {
    let next = world
    for (const [index, write] of model.writes(world, answered).entries()) {
      const pass = `pass${answered ? '' : ' unanswered'}`
      if (world.lates > 0) {
        const late = { ...next, late: write, lates: world.lates - 1 }
        events.push({ name: `${pass}, ${index} writes and a late one`, next: late })
      }
      next = written(next, write)
      checkWrite(world, next)
      const isMadeOfB = next.status.revision?.current === 'B'
      assert(model.planFlaw !== 'unmade' || !isMadeOfB, 'its pods would not be made')
      events.push({ name: `${pass}, ${index + 1} writes`, next })
    }
  }
  return events
}

function ofPod(model: Model, world: World, pod: Pod): Event[] {
  const to = (name: string, change: Partial<Pod>, more: Partial<World> = {}): Event => {
    const next = { ...changed(world, pod, change), ...more }
    return { name: `${pod.role}-${pod.epoch}-${pod.attempt} ${name}`, next }
  }
  const gone = (): Event => {
    const pods = world.pods.filter(one => one !== pod)
    const order = atWork({ ...world, pods }) === undefined ? undefined : world.order
    return { name: `${pod.role}-${pod.epoch} is gone`, next: { ...world, pods, order } }
  }
  if (pod.state === 'leaving') return [gone()]
  if (pod.role === 'plan') return ofPlan(model, pod, to)
  const flaw = model.flawOf(world, pod.epoch)
  if (pod.state === 'pending') {
    if (flaw !== 'no-image') return [to('runs', { state: 'running' })]
    return pod.of === 'no-image' ? [] : [to('has no image', { of: 'no-image' })]
  }
  if (pod.state !== 'running') return []
  const jobManager = world.pods.find(one => one.role === 'jobmanager' && one.epoch === pod.epoch)
  // A slot is let go by its jobmanager.
  if (isOver(pod) || isOver(jobManager)) return [to('ends', { state: 'succeeded' })]
  const events: Event[] = []
  if (pod.waits === true && flaw === 'refuses') {
    events.push(to('is refused', { state: 'failed', code: 2 }))
  }
  if (flaw === 'crashes') events.push(to('crashes', { state: 'failed', code: 1 }))
  const mayBegin = pod.role === 'jobmanager' && !pod.hasBegun && pod.waits !== true
  if (mayBegin) events.push(begins(model, world, pod))
  if (world.faults > 0 && flaw !== 'crashes') {
    const more = {
      faults: world.faults - 1,
      ...(pod.role === 'jobmanager' && { order: undefined }),
    }
    events.push(to('dies', { state: 'failed', code: 137 }, more))
  }
  return events
}

type To = (name: string, change: Partial<Pod>, more?: Partial<World>) => Event

function ofPlan(model: Model, pod: Pod, to: To): Event[] {
  if (pod.state !== 'pending') return []
  const flaw = pod.of === 'B' ? model.planFlaw : 'none'
  if (flaw === 'no-image') return []
  if (flaw === 'rejected') return [to('rejects', { state: 'failed', code: 3 })]
  return [to('accepts', { state: 'succeeded' }), to('is lost', { state: 'failed', code: 137 })]
}

/** The first thing that a jobmanager does: N5 of the generations. */
function begins(model: Model, world: World, pod: Pod): Event {
  const name = `jobmanager-${pod.epoch}-${pod.attempt} begins`
  assert(pod.epoch <= (world.status.epoch ?? 0), 'U9: one that is warm begins in its epoch only')
  const fail = (code: number): Event => {
    return { name, next: changed(world, pod, { state: 'failed', code }) }
  }
  if (pod.epoch < world.generation) return fail(1)
  if (model.flawOf(world, pod.epoch) === 'refuses') return fail(2)
  if (pod.epoch === world.generation) {
    return { name, next: changed({ ...world, order: undefined }, pod, { hasBegun: true }) }
  }
  const head = restoredBy(model, world, pod.start ?? world.status.start)
  const begun = changed(world, pod, { hasBegun: true })
  const next = { ...begun, generation: pod.epoch, head, done: 0, order: undefined }
  return { name, next }
}

function restoredBy(model: Model, { head, newest }: World, start: JobStart | undefined): number {
  switch (start?.from) {
    case 'empty':
      assert(model.mode === 'stateless', 'U2: nobody asked for an empty start')
      return 0
    case 'path': {
      const id = Number(start.path?.replace('chk-', ''))
      const isAsked = model.mode === 'stateless' || model.restores
      assert(isAsked && id > 0, 'U1: nobody asked for an older snapshot')
      return id
    }
    default: {
      const mayBeOlder = model.mode === 'stateless' || model.restores
      assert(mayBeOlder || head === newest, 'U3: the newest is gone on from')
      return head
    }
  }
}

function ofEngine(model: Model, world: World): Event[] {
  const { pods, generation, order, zombies, newest } = world
  const events: Event[] = []
  const slot = pods.find(
    one =>
      one.role === 'taskmanager' &&
      one.epoch === generation &&
      (one.state === 'running' || one.state === 'leaving'),
  )
  const jobManager = pods.find(
    one => one.role === 'jobmanager' && one.epoch === generation && one.hasBegun,
  )
  const isThere = jobManager?.state === 'running' || jobManager?.state === 'leaving'
  const lives = isThere && !isOver(jobManager)
  const completes = model.flawOf(world, generation) !== 'stalls' && world.done < DONE_MAX
  const isAlive = (lives && slot !== undefined) || zombies.includes(generation)
  const completed = { newest: newest + 1, head: newest + 1, done: world.done + 1 }
  if (isAlive && completes) {
    events.push({ name: 'a checkpoint completes', next: { ...world, ...completed } })
  }
  if (order?.state !== 'pending' || jobManager?.state !== 'running') return events
  const told = changed(world, jobManager, { of: `${order.id} ${newest + 1}` }).pods
  const over = told.map(one => {
    const isOfJob = one === slot || isOver(one)
    return isOfJob ? { ...one, state: 'succeeded' as const } : one
  })
  const failed = { ...order, state: 'failed' } as const
  events.push({ name: 'the stop fails', next: { ...world, order: failed } })
  if (model.flawOf(world, generation) !== 'stalls') {
    const next = { ...world, ...completed, pods: over, order: undefined }
    events.push({ name: 'the job is stopped with a savepoint', next })
    const done = { ...order, state: 'completed', snapshot: completed.newest } as const
    const lives = { ...world, ...completed, pods: told, order: done }
    events.push({ name: 'the job is stopped, and its processes live', next: lives })
    const kept = { ...failed, snapshot: completed.newest }
    const goesOn = { ...world, ...completed, order: kept }
    events.push({ name: 'the stop fails after its savepoint', next: goesOn })
  }
  return events
}

function ofPeople(model: Model, world: World): Event[] {
  const { edits, jumps, edit, rests } = world
  const events: Event[] = []
  if (edits > 0) {
    const other = edit === 'A' ? 'B' : 'A'
    const next = { ...world, edit: other, edits: edits - 1 } as const
    // The API server lets no nonce go back.
    if (edit === 'A' || !model.restores) events.push({ name: `edits to ${other}`, next })
    const rest = { ...world, rests: !rests, edits: edits - 1 }
    events.push({ name: rests ? 'resumes' : 'suspends', next: rest })
  }
  if (jumps > 0 && world.status.upgrade !== undefined) {
    events.push({ name: 'time passes', next: { ...jumped(world), jumps: jumps - 1 } })
  }
  return events
}

/** Whoever leads by now, it arrives. */
function ofNetwork(world: World): Event[] {
  const { late } = world
  if (late === undefined) return []
  const next = written({ ...world, late: undefined }, late)
  checkWrite(world, next)
  return [{ name: `a late ${late.kind} arrives`, next }]
}

function isLeftAtWork(pod: Pod): boolean {
  const lives = pod.state === 'running' || pod.state === 'leaving'
  return lives && pod.hasBegun && !isOver(pod)
}

/** What no write may do. */
function checkWrite(before: World, after: World): void {
  const [old, now] = [before.status, after.status]
  assert((now.epoch ?? 0) >= (old.epoch ?? 0), 'J1: an epoch never comes back')
  const isNew = now.upgrade?.warm !== undefined && now.upgrade.warm !== old.upgrade?.warm
  const isFirst = (now.upgrade?.warm ?? 0) > Math.max(old.epoch ?? 0, old.epochs ?? 0)
  assert(!isNew || isFirst, 'J1: an epoch is given once')
  const isRaised = (now.epoch ?? 0) > (old.epoch ?? 0)
  assert(!isRaised || !before.pods.some(isLeftAtWork), 'U9: a job that is at work is left behind')
  if (old.state !== undefined) {
    const { state } = now
    assert(state !== undefined, 'U1: the pointer is lost')
    const isAhead =
      state.epoch > old.state.epoch ||
      (state.epoch === old.state.epoch && state.checkpointId >= old.state.checkpointId)
    assert(isAhead, 'U1: the pointer goes back')
  }
  if (old.upgrade?.rollback !== undefined && old.upgrade.phase !== 'RollingBack') {
    assert(now.upgrade?.phase !== 'RollingBack', 'U9: an upgrade goes back once')
  }
  const { mode, restoring, rollback } = now.upgrade ?? {}
  const isHeld = mode !== 'restore' || rollback !== undefined || restoring === 'chk-1'
  assert(isHeld, 'what is to be restored is named, so that nobody removes it')
  const { taken } = old.upgrade ?? {}
  const isLeft = taken !== undefined && now.upgrade?.taken === undefined
  const isKnown = after.kept.includes(old.epoch ?? 0) || old.upgrade?.since === OVER
  assert(!isLeft || isKnown, 'U7: what was taken is known before it is left')
  for (const name of [now.revision?.current, now.upgrade?.to]) {
    assert(name === undefined || after.stored.includes(name), 'a revision is stored first')
  }
  for (const pod of after.pods) {
    const known = Math.max(old.epoch ?? 0, old.epochs ?? 0)
    assert(pod.epoch <= known, 'J1: a pod of an epoch that nobody knows')
  }
}
