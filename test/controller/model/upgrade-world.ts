/**
 * A small world around the decisions for one job: pods, an engine with a store and generations, a
 * person who edits, and controllers that die between any two writes. One slot, two revisions.
 * Times are fresh or long over: no decision asks for more.
 */
import { assert } from '../../../src/common/assert.ts'
import type { JobDecision } from '../../../src/controller/streamjob/job-decision.ts'
import { decideJob } from '../../../src/controller/streamjob/job-policies.ts'
import { nextStatus } from '../../../src/controller/streamjob/next-status.ts'
import type { ObservedJob, Revision } from '../../../src/controller/streamjob/observed-job.ts'
import type { PlanFacts, PodFacts, PodState } from '../../../src/controller/streamjob/pod-facts.ts'
import type { JobFacts } from '../../../src/protocol/job-facts.ts'
import type { JobStart, StreamJobStatus } from '../../../src/protocol/stream-job-status.ts'

export type Flaw = 'none' | 'rejected' | 'unmade' | 'refuses' | 'crashes' | 'stalls' | 'no-image'

/** What holds for a whole exploration. */
export interface Setting {
  readonly mode: 'savepoint' | 'last-state' | 'stateless'
  readonly fallback: boolean
  /** Of revision B. */
  readonly flaw: Flaw
  /** B begins from the first snapshot, by a raised nonce. */
  readonly restores: boolean
  /** The next deployment starts beside the one that runs. */
  readonly surge: 'auto' | 'never'
}

export interface Pod {
  readonly role: 'jobmanager' | 'taskmanager' | 'plan'
  readonly epoch: number
  readonly attempt: number
  readonly state: PodState
  readonly code: number
  /** Of a plan: the revision. Of a jobmanager whose job is over: the order. */
  readonly of: string
  /** Of a jobmanager: it took its generation. */
  readonly hasBegun: boolean
  /** Of a jobmanager that is warm: what it begins with, once it was told to. */
  readonly start?: JobStart
  readonly waits?: boolean
}

export interface World {
  readonly edit: 'A' | 'B'
  readonly rests: boolean
  readonly status: StreamJobStatus
  readonly stored: readonly string[]
  readonly pods: readonly Pod[]
  /** Epochs of jobmanagers whose pods were given up and that still live. */
  readonly zombies: readonly number[]
  /** The epoch that took the last generation. */
  readonly generation: number
  /** Number of the newest completed snapshot. */
  readonly newest: number
  /** What a jobmanager that goes on would restore; 0: nothing. */
  readonly head: number
  /** Completed by this generation. */
  readonly done: number
  /** Epochs whose savepoint is known as a Savepoint. */
  readonly kept: readonly number[]
  readonly order: Order | undefined
  /** Of a controller that is gone: sent, and not there yet. */
  readonly late: Write | undefined
  /** How much may still happen. */
  readonly edits: number
  readonly faults: number
  readonly jumps: number
  readonly lates: number
}

interface Order {
  readonly id: string
  readonly state: 'pending' | 'failed' | 'completed'
  /** The savepoint that it completed, although it failed. */
  readonly snapshot?: number
}

/** What a controller asks of the API server or of a jobmanager, as data. */
export type Write =
  | { readonly kind: 'store'; readonly name: string }
  | { readonly kind: 'create'; readonly pod: NewPod }
  | { readonly kind: 'order'; readonly id: string }
  /** The newest jobmanager of the epoch is told to. */
  | { readonly kind: 'begin'; readonly epoch: number }
  | { readonly kind: 'remove'; readonly pod: PodKey; readonly to: 'leaving' | 'gone' }
  /** What the epoch was stopped with becomes a Savepoint. */
  | { readonly kind: 'keep'; readonly epoch: number }
  /** On the condition that the status is as it was. */
  | { readonly kind: 'status'; readonly before: string; readonly status: StreamJobStatus }

const NOW_MS = 1_700_000_000_000
const FRESH = '2023-11-14T22:13:20Z'
export const OVER = '2023-11-14T12:00:00Z'

const base = {
  apiVersion: 'weir.dev/v1alpha1',
  kind: 'StreamJob',
  metadata: { name: 'j', namespace: 'n', uid: 'u', generation: 1 },
}

const refusedPods = {
  reason: 'PodSecurityViolated',
  mayPass: false,
  said: 'it violates PodSecurity',
  message: 'it violates PodSecurity; take it out',
} as const

/** All that never changes in an exploration, made once. */
export class Model {
  readonly #setting: Setting
  readonly #tamper: Tamper
  readonly #revisions: ReadonlyMap<string, Revision['deployed']>
  readonly #checked = new Map<string, ObservedJob['checked']>()

  constructor(setting: Setting, makeManifest: MakeManifest, tamper: Tamper = decision => decision) {
    this.#setting = setting
    this.#tamper = tamper
    for (const name of ['A', 'B'] as const) {
      for (const state of ['running', 'suspended'] as const) {
        const manifest = makeManifest({ ...setting, name, state })
        this.#checked.set(name + state, { manifest })
      }
    }
    const deployed = (name: 'A' | 'B'): Revision['deployed'] => {
      const checked = this.#checked.get(`${name}running`)
      assert(checked !== undefined && 'manifest' in checked, 'it was made')
      return { manifest: checked.manifest, image: 'weir:1', specDigest: name }
    }
    this.#revisions = new Map([
      ['A', deployed('A')],
      ['B', deployed('B')],
    ])
  }

  /** The job runs as A, and is stable. */
  first(budget: Pick<World, 'edits' | 'faults' | 'jumps' | 'lates'>): World {
    const pod = { epoch: 1, attempt: 1, state: 'running', code: 0, of: '', hasBegun: true } as const
    return {
      edit: 'A',
      rests: false,
      status: {
        phase: 'Running',
        epoch: 1,
        revision: { current: 'A', target: 'A', stable: 'A' },
        start: { from: 'manifest' },
        state: pointer(1, 1),
      },
      stored: ['A'],
      pods: [
        { ...pod, role: 'jobmanager' },
        { ...pod, role: 'taskmanager' },
      ],
      zombies: [],
      generation: 1,
      newest: 1,
      head: 1,
      done: 1,
      kept: [],
      order: undefined,
      late: undefined,
      ...budget,
    }
  }

  flawOf(world: World, epoch: number): Flaw {
    const { epoch: current, revision, upgrade } = world.status
    const made = epoch === current ? revision?.current : undefined
    const isOfB = (epoch === upgrade?.warm ? upgrade.to : made) === 'B'
    return isOfB ? this.#setting.flaw : 'none'
  }

  get planFlaw(): Flaw {
    return this.#setting.flaw
  }

  get restores(): boolean {
    return this.#setting.restores
  }

  get mode(): Setting['mode'] {
    return this.#setting.mode
  }

  /** `answers`: the jobmanager does, where one runs. */
  observe(world: World, answers: boolean): ObservedJob {
    const { edit, rests, status, pods, stored } = world
    const checked = this.#checked.get(edit + (rests ? 'suspended' : 'running'))
    const wanted = this.#revisions.get(edit)
    assert(checked !== undefined && wanted !== undefined, 'they were made')
    const generation = edit === 'A' ? 1 : 2
    const facts = lastWordOf(world) ?? (answers ? factsOf(world) : undefined)
    return {
      object: { ...base, metadata: { ...base.metadata, generation }, spec: {}, status },
      checked,
      newer: undefined,
      problem: undefined,
      wanted: { name: edit, deployed: wanted },
      revisions: new Map([...this.#revisions].filter(([name]) => stored.includes(name))),
      status,
      deployed: this.#revisions.get(status.revision?.current ?? ''),
      deployedMs: undefined,
      pods: pods.filter(one => one.role !== 'plan').map(podOf),
      plans: pods.filter(one => one.role === 'plan').map(one => planOf(one, this.planFlaw)),
      heard: { facts, silence: undefined },
      facts,
      warm: answers ? warmFactsOf(world) : undefined,
      admission: { kind: 'free' },
      surge: { kind: 'free' },
      isStopKept: world.kept.includes(status.epoch ?? 0),
      refusedPods: undefined,
      nowMs: NOW_MS,
    }
  }

  /** What a controller would do now, write by write; the status is the last. */
  writes(world: World, answers: boolean): readonly Write[] {
    const seen = this.observe(world, answers)
    const first = decideJob(seen)
    const isRefused = this.#setting.flaw === 'unmade' && first.tryPods?.name === 'B'
    const again = isRefused ? decideJob({ ...seen, refusedPods }) : first
    const decision = this.#tamper(again)
    const status = nextStatus(seen, decision)
    const {
      conditions: _c,
      observedGeneration: _g,
      slots: _s,
      selector: _l,
      restarts: _r,
      checkpoint: _k,
      jobDigest: _d,
      reserved: _v,
      ...rest
    } = status
    const before = JSON.stringify(world.status)
    return [...actsOf(decision), { kind: 'status', before, status: rest }]
  }
}

/** Plants a fault. */
export type Tamper = (decision: JobDecision) => JobDecision

export type MakeManifest = (
  options: Setting & { readonly name: 'A' | 'B'; readonly state: 'running' | 'suspended' },
) => Revision['deployed']['manifest']

export function pointer(epoch: number, id: number): NonNullable<StreamJobStatus['state']> {
  const at = { completedAt: FRESH, sizeBytes: 1 }
  return { epoch, checkpointId: id, kind: 'checkpoint', path: `chk-${id}`, ...at }
}

/** All that is waited for is over. */
export function jumped(world: World): World {
  const { upgrade } = world.status
  if (upgrade === undefined) return world
  const old: Record<string, string> = {}
  for (const field of ['startedAt', 'since', 'stoppedAt', 'startingAt'] as const) {
    if (upgrade[field] !== undefined) old[field] = OVER
  }
  return { ...world, status: { ...world.status, upgrade: { ...upgrade, ...old } } }
}

/** What is so once the write has arrived. */
export function written(world: World, write: Write): World {
  switch (write.kind) {
    case 'store': {
      const { name } = write
      if (world.stored.includes(name)) return world
      return { ...world, stored: [...world.stored, name].toSorted() }
    }
    case 'create':
      return created(world, write.pod)
    case 'keep': {
      const { epoch } = write
      return world.kept.includes(epoch) ? world : { ...world, kept: [...world.kept, epoch] }
    }
    case 'order':
      return orderGiven(world, write.id)
    case 'begin':
      return told(world, write.epoch)
    case 'remove':
      return removed(world, write.pod, write.to)
    case 'status': {
      const isRefused = JSON.stringify(world.status) !== write.before
      return isRefused ? world : { ...world, status: write.status }
    }
  }
}

function actsOf(decision: JobDecision): readonly Write[] {
  const writes: Write[] = []
  const { keepRevision, plan, order, warm } = decision
  if (keepRevision !== undefined) writes.push({ kind: 'store', name: keepRevision.name })
  if (decision.isMove) return writes
  const create = (pod: NewPod) => writes.push({ kind: 'create', pod })
  if (plan !== undefined) {
    create({ role: 'plan', epoch: 0, attempt: plan.attempt, of: plan.revision.name })
  }
  for (const { role, epoch, attempt } of decision.start) create({ role, epoch, attempt, of: '' })
  for (const { role, epoch, attempt } of warm?.start ?? []) {
    const start = role === 'jobmanager' ? warm?.from : undefined
    create({ role, epoch, attempt, of: '', ...(start && { start, waits: true }) })
  }
  if (decision.begin) writes.push({ kind: 'begin', epoch: decision.epoch })
  if (order !== undefined) writes.push({ kind: 'order', id: order.requestId })
  const remove = ({ role, epoch, attempt }: PodKey, to: 'leaving' | 'gone') =>
    writes.push({ kind: 'remove', pod: { role, epoch, attempt }, to })
  for (const one of decision.stop) remove(one, 'leaving')
  for (const { attempt } of decision.endedPlans) remove({ role: 'plan', epoch: 0, attempt }, 'gone')
  for (const one of decision.kill) remove(one, 'gone')
  if (decision.keepSavepoint !== undefined) {
    writes.push({ kind: 'keep', epoch: decision.epoch })
  }
  return writes
}

type PodKey = Pick<Pod, 'role' | 'epoch' | 'attempt'>
type NewPod = PodKey & Pick<Pod, 'of' | 'start' | 'waits'>

const isSame = (a: PodKey) => (b: PodKey) =>
  a.role === b.role && a.epoch === b.epoch && a.attempt === b.attempt

function created(world: World, pod: NewPod): World {
  const isOther = (one: Pod): boolean => pod.role === 'plan' && one.of !== pod.of
  const hasSame = world.pods.some(one => isSame(pod)(one) && !isOther(one))
  if (hasSame) return world
  const made: Pod = { ...pod, state: 'pending', code: 0, hasBegun: false }
  return { ...world, pods: [...world.pods, made].toSorted(byName) }
}

function byName(a: Pod, b: Pod): number {
  const name = (one: Pod): string => `${one.role}${one.epoch}-${one.attempt}${one.of}`
  return name(a) < name(b) ? -1 : 1
}

function removed(world: World, key: PodKey, to: 'leaving' | 'gone'): World {
  const found = world.pods.find(isSame(key))
  if (found === undefined) return world
  const isDead = found.state === 'failed' || found.state === 'succeeded'
  if (to === 'leaving' && !isDead && found.role !== 'plan') {
    return changed(world, found, { state: 'leaving' })
  }
  const pods = world.pods.filter(one => one !== found)
  const lives = found.role === 'jobmanager' && found.state === 'leaving' && found.hasBegun
  const zombies = lives ? [...new Set([...world.zombies, found.epoch])] : world.zombies
  return { ...world, pods, zombies }
}

export function changed(world: World, pod: Pod, change: Partial<Pod>): World {
  return { ...world, pods: world.pods.map(one => (one === pod ? { ...one, ...change } : one)) }
}

/** The one that answers: it runs, and has its generation. */
export function atWork(world: World): Pod | undefined {
  const { pods, generation } = world
  return pods.find(
    one =>
      one.role === 'jobmanager' &&
      one.state === 'running' &&
      one.hasBegun &&
      one.epoch === generation,
  )
}

/** Those that wait to begin, and answer. */
export function waiting({ pods }: World): readonly Pod[] {
  return pods.filter(one => one.waits === true && one.state === 'running')
}

function told(world: World, epoch: number): World {
  const found = waiting(world).findLast(one => one.epoch === epoch)
  return found === undefined ? world : changed(world, found, { waits: false })
}

/** The job is over; its process may live yet. */
export function isOver(pod: Pod | undefined): boolean {
  return pod?.role === 'jobmanager' && / \d+$/.test(pod.of)
}

function orderGiven(world: World, id: string): World {
  const isNew = world.order === undefined || world.order.id !== id
  // A jobmanager that has another order under way refuses the new one.
  const jobManager = atWork(world)
  if (!isNew || jobManager === undefined || isOver(jobManager)) return world
  if (world.order?.state === 'pending') return world
  return { ...world, order: { id, state: 'pending' } }
}

const calm = { parallelism: 1, restarts: 0, lastFailure: null } as const

function warmFactsOf(world: World): JobFacts | undefined {
  const { warm, phase } = world.status.upgrade ?? {}
  const jobManager = waiting(world).findLast(one => one.epoch === warm)
  return jobManager && phase === 'Reserving' ? waitingFacts(world, jobManager) : undefined
}

function waitingFacts(world: World, { epoch }: Pod): JobFacts {
  return {
    status: hasSlot(world, epoch) ? 'warm' : 'starting',
    ...calm,
    latest: null,
    checkpoints: { completed: 0, failuresInRow: 0, lastFailure: null, ageMs: null },
    stop: null,
  }
}

function hasSlot({ pods }: World, epoch: number): boolean {
  return pods.some(
    one => one.role === 'taskmanager' && one.epoch === epoch && one.state === 'running',
  )
}

function factsOf(world: World): JobFacts | undefined {
  const waits = waiting(world).findLast(one => one.epoch === world.status.epoch)
  if (waits !== undefined) return waitingFacts(world, waits)
  const jobManager = atWork(world)
  if (jobManager === undefined || jobManager.epoch !== world.status.epoch) return undefined
  const { head, done, order } = world
  const running = hasSlot(world, jobManager.epoch) ? 'running' : 'starting'
  const snapshotOf = (id: number, kind: 'checkpoint' | 'savepoint') => {
    return { id, kind, path: `chk-${id}`, completedAtMs: NOW_MS, sizeBytes: 1 }
  }
  const saved = order?.snapshot
  return {
    status: isOver(jobManager) ? 'stopped' : running,
    ...calm,
    latest: head === 0 ? null : snapshotOf(head, 'checkpoint'),
    checkpoints: { completed: done, failuresInRow: 0, lastFailure: null, ageMs: null },
    stop:
      order === undefined
        ? null
        : {
            id: order.id,
            status: order.state,
            snapshot: saved === undefined ? null : snapshotOf(saved, 'savepoint'),
            error: null,
          },
  }
}

/** Of a jobmanager that was stopped as it was told to. */
function lastWordOf(world: World): JobFacts | undefined {
  const { pods, status } = world
  const last = pods.findLast(one => one.role === 'jobmanager' && one.epoch === status.epoch)
  if (last?.state !== 'succeeded' || last.of === '') return undefined
  const [id = '', number = ''] = last.of.split(' ')
  const path = `chk-${number}`
  const at = { completedAtMs: NOW_MS, sizeBytes: 1 }
  const latest = { id: Number(number), kind: 'savepoint', path, ...at } as const
  return {
    status: 'stopped',
    ...calm,
    latest,
    checkpoints: { completed: 1, failuresInRow: 0, lastFailure: null, ageMs: null },
    stop: { id, status: 'completed', snapshot: latest, error: null },
  }
}

function podOf(one: Pod): PodFacts {
  const { role, epoch, attempt, state, code, of } = one
  assert(role !== 'plan', 'a plan is no pod of an epoch')
  return {
    pod: objectOf(one),
    role,
    epoch,
    slot: 0,
    attempt,
    state,
    hasEnded: state === 'succeeded' || state === 'failed',
    exitCode: code === 0 ? undefined : code,
    isRefused: false,
    isBound: true,
    isUnmade: false,
    bornMs: 0,
    ip: undefined,
    lastWord: undefined,
    why: of === 'no-image' ? 'ImagePullBackOff: no such image' : undefined,
    endedMs: 0,
  }
}

function planOf(one: Pod, flaw: Flaw): PlanFacts {
  const { attempt, state, of, code } = one
  const isImageless = flaw === 'no-image' && of === 'B' && state === 'pending'
  const verdict = state === 'failed' && code === 3 ? 'the state does not fit' : undefined
  return { pod: objectOf(one), revision: of, attempt, state, verdict, isImageless, why: undefined }
}

function objectOf({ role, epoch, attempt }: Pod): PodFacts['pod'] {
  const name = `j-${role}-${epoch}-${attempt}`
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name } }
}
