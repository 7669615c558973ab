/**
 * One pass over a job: observe, decide, act, and one write of the status. What a later act builds
 * on is stored before: the epoch before its objects, those before its pods, an order before it is
 * given.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../common/clock.ts'
import { epochKey } from '../../protocol/job-keys.ts'
import type { EventWords } from '../kube/event-series.ts'
import { finalizerPatch, isHeld } from '../kube/finalizer.ts'
import { type KubeObject, keyOf } from '../kube/kube-object.ts'
import type { CacheView } from '../kube/object-cache.ts'
import type { Reconcile } from '../kube/work-loop.ts'
import { refusalIn } from '../kube/write-refusal.ts'
import { writeStatus as writeWhole } from '../kube/write-status.ts'
import type { FactsPoller, Pace } from '../link/facts-poller.ts'
import type { JobLink } from '../link/job-link.ts'
import type { SavepointObject } from '../savepoint/savepoint-object.ts'
import { soonest } from '../soonest.ts'
import type { Admission } from '../tenancy/admission.ts'
import type { Demand } from '../tenancy/demand.ts'
import { demandOf } from '../tenancy/job-demand.ts'
import type { QuotaLedger } from '../tenancy/quota-ledger.ts'
import type { JobDecision, UpgradeFigure, WarmPods } from './job-decision.ts'
import { jobEvents } from './job-events.ts'
import { MANAGER } from './job-names.ts'
import {
  disruptionBudgetOf,
  keyOfEpoch,
  manifestFileOf,
  networkPolicyOf,
  serviceOf,
} from './job-objects.ts'
import { podOf } from './job-pods.ts'
import { decideJob } from './job-policies.ts'
import { revisionOf, surplusRevisions } from './job-revisions.ts'
import { jobTarget, warmTarget } from './job-target.ts'
import type { JobWorld } from './job-world.ts'
import { stopName, stopSavepointOf } from './left-savepoint.ts'
import { nextStatus, roomFor } from './next-status.ts'
import { observeJob } from './observe-job.ts'
import type { ObservedJob, Revision } from './observed-job.ts'
import { planFacts, podFacts } from './pod-facts.ts'
import { type DeletionPass, holdChange, reconcileDeletion } from './reconcile-deletion.ts'
import { refusedAct } from './refused-act.ts'
import { namedSavepoint } from './restore-source.ts'
import { StatusPace } from './status-pace.ts'
import type { StreamJobObject } from './stream-job-object.ts'
import { asksForPods, tryPods } from './try-pods.ts'

export interface ReconcileJobOptions {
  readonly world: JobWorld
  /** Those that jobs begin from by their names. */
  readonly savepoints: Pick<CacheView<SavepointObject>, 'get'>
  /** `undefined`: tenants are nobody's business here. */
  readonly ledger: QuotaLedger | undefined
  readonly link: Pick<JobLink, 'stop' | 'begin'>
  readonly poller: Pick<FactsPoller, 'heard' | 'want'>
  /** Asks those that wait to begin. */
  readonly warmPoller: Pick<FactsPoller, 'heard' | 'want'>
  /** Of deployments whose spec names no image. */
  readonly engineImage: string
  /** Where controllers run: they may reach the jobmanagers. */
  readonly namespace: string
  /** Keys of new deployments are derived of it. */
  readonly masterKey: string
  readonly clock: Clock
  readonly record: (object: KubeObject, words: EventWords) => void
  readonly observe: (figure: UpgradeFigure) => void
}

interface Pass {
  readonly options: ReconcileJobOptions
  readonly pace: StatusPace
  readonly signal: AbortSignal
}

export function reconcileJob(options: ReconcileJobOptions): Reconcile {
  const pace = new StatusPace(options.clock)
  return async (key, signal) => {
    const { world, poller, warmPoller } = options
    const object = world.jobs.cache.get(key)
    if (object === undefined) {
      poller.want(key, undefined, 'seldom')
      pace.forget(key)
      warmPoller.want(key, undefined, 'seldom')
      return undefined
    }
    const pass = { options, pace, signal }
    const isLeaving = object.metadata.deletionTimestamp !== undefined
    if (!isLeaving && (await hold(object, pass))) return 0
    let seen = observe(object, options)
    let decision = decideJob(seen.observed)
    if (asksForPods(decision)) {
      const refusedPods = await tryPods(seen.observed, decision, { world, signal })
      // Meanwhile others may have taken the room.
      seen = observe(object, options)
      seen.observed = { ...seen.observed, refusedPods }
      decision = decideJob(seen.observed)
    }
    const { observed, target, warm } = seen
    const { refusedPods } = observed
    poller.want(key, target, paceOf(observed, decision))
    warmPoller.want(key, warm, 'soon')
    if (isLeaving && isHeld(object.metadata)) return leave({ observed, target, ...pass })
    const { keepRevision, takesRoom } = decision
    if (takesRoom !== 'none') {
      if (observed.admission.kind === 'unknown') return ADMISSION_SOON_MS
      // No await since the ledger was asked: nobody else can have taken the room.
      options.ledger?.claim(object, roomFor(object, takesRoom))
    }
    const unmade = await refusalIn(async () => {
      if (keepRevision !== undefined) await keep(observed, keepRevision, pass)
      if (!decision.isMove) await act(observed, decision, pass)
    })
    const refused = unmade ?? (decision.isMove ? undefined : refusedPods)
    const done = refused === undefined ? decision : refusedAct(observed, decision, refused)
    return soonest(done.againMs, await writeStatus(observed, done, pass))
  }
}

/** Whether the object was changed: what is to be done when it is deleted holds it until then. */
async function hold(object: StreamJobObject, { options, signal }: Pass): Promise<boolean> {
  const change = holdChange(object)
  if (change === undefined) return false
  const { world } = options
  const { metadata } = object
  world.mayWrite()
  const steps = finalizerPatch(metadata, change)
  world.jobs.cache.set(await world.jobs.client.patch(metadata, steps, signal))
  return true
}

async function leave(pass: DeletionPass & Pass): Promise<number | undefined> {
  const { observed } = pass
  const deletion = await reconcileDeletion(pass)
  if (deletion === undefined) return undefined
  const decision = { ...decideJob(observed), findings: deletion.findings }
  return soonest(deletion.againMs, await writeStatus(observed, decision, pass))
}

/** After a change of leaders the caches are compared first: only what wants to begin waits. */
const ADMISSION_SOON_MS = 250

function observe(object: StreamJobObject, options: ReconcileJobOptions) {
  const { world, engineImage, poller, warmPoller, clock } = options
  const { metadata } = object
  const { uid = '' } = metadata
  const all = world.pods.cache.group(uid)
  const pods = all.flatMap(pod => podFacts(pod) ?? [])
  const target = jobTarget(object, pods)
  const warm = warmTarget(object, pods)
  const observed = observeJob({
    object,
    pods,
    plans: all.flatMap(pod => planFacts(pod) ?? []),
    revisions: world.revisions.cache.group(uid),
    heard: poller.heard(keyOf(metadata), target),
    warm: warmPoller.heard(keyOf(metadata), warm).facts,
    admission: admissionOf(object, demandOf(object.spec), options),
    surge: surgeOf(object, options),
    source: sourceOf(object, options),
    isStopKept: isStopKept(object, options),
    engineImage,
    nowMs: clock.now(),
  })
  return { observed, target, warm }
}

function sourceOf(
  object: StreamJobObject,
  { savepoints }: ReconcileJobOptions,
): SavepointObject | undefined {
  const name = namedSavepoint(object)
  const { namespace } = object.metadata
  return name === undefined ? undefined : savepoints.get(keyOf({ namespace, name }))
}

function isStopKept({ metadata, status }: StreamJobObject, { savepoints }: ReconcileJobOptions) {
  const { namespace } = metadata
  const name = stopName(metadata, status?.epoch ?? 0)
  return savepoints.get(keyOf({ namespace, name })) !== undefined
}

/** A job that is ready is looked at in passing, one that is about to stop or begin all the time. */
function paceOf({ status }: ObservedJob, { findings }: JobDecision): Pace {
  const { phase, request, warm } = status.upgrade ?? {}
  if (phase === 'Savepointing' && request !== undefined) return 'soon'
  if (phase === 'Starting' && warm !== undefined) return 'soon'
  if (findings.some(one => one.type === 'UpgradeInProgress')) return 'often'
  return findings.some(one => one.type === 'Ready' && one.holds) ? 'seldom' : 'often'
}

function admissionOf(
  object: StreamJobObject,
  demand: Demand,
  { ledger, clock }: Pick<ReconcileJobOptions, 'ledger' | 'clock'>,
): Admission {
  if (ledger === undefined) return { kind: 'free' }
  return ledger.ask(object, demand, clock.now())
}

/** Asked for when it is about to be decided: it costs as much as the question for admission. */
function surgeOf(object: StreamJobObject, options: ReconcileJobOptions): Admission {
  const isSoon = object.status?.upgrade?.phase === 'Planning'
  return isSoon ? admissionOf(object, roomFor(object, 'beside'), options) : { kind: 'free' }
}

/** Made once: its data never changes. */
async function keep({ object, revisions }: ObservedJob, revision: Revision, pass: Pass) {
  if (revisions.has(revision.name)) return
  const { world } = pass.options
  const { uid = '' } = object.metadata
  const known = world.revisions.cache.group(uid)
  const number = 1 + Math.max(0, ...known.map(one => one.revision))
  await world.revisions.create(revisionOf(object, revision, number), pass.signal)
}

async function act(observed: ObservedJob, decision: JobDecision, pass: Pass): Promise<void> {
  const { world } = pass.options
  const { signal } = pass
  if (decision.deploy) await deploy(observed, decision, pass)
  if (decision.warm !== undefined) await prepare(observed, decision.warm, pass)
  if (decision.begin) await begin(observed, pass)
  if (decision.order !== undefined) await giveOrder(observed, decision.order, pass)
  for (const { pod } of [...decision.stop, ...decision.endedPlans]) {
    await world.pods.remove(pod, undefined, signal)
  }
  for (const { pod } of decision.kill) await world.pods.remove(pod, 0, signal)
  if (decision.keepSavepoint !== undefined) {
    const kept = stopSavepointOf(observed.object, decision.keepSavepoint)
    await world.savepoints.create(kept, signal)
  }
  if (observed.status.upgrade === undefined) await forget(observed, pass)
}

async function deploy(
  { object, status, deployed, admission }: ObservedJob,
  decision: JobDecision,
  { options, signal }: Pass,
): Promise<void> {
  const { world, namespace } = options
  const name = status.revision?.current
  if (deployed === undefined || name === undefined) return
  const { epoch } = decision
  const revision = { name, deployed }
  // It is not watched: asked for when something will want it, and left as it is if it is there.
  if (decision.start.length > 0) {
    await world.secrets.create(secretOf(object, epoch, options), signal)
  }
  await world.configMaps.ensure(manifestFileOf(object, revision), signal)
  await world.services.ensure(serviceOf(object), signal)
  // A drained node takes nothing from a job that is only coming up; and of a budget that were there
  // before its pods, Kubernetes would write the status again for each of them.
  if (decision.phase === 'Running') await world.budgets.ensure(disruptionBudgetOf(object), signal)
  const surroundings = { controllerNamespace: namespace, isOfTenant: admission.kind !== 'free' }
  await world.policies.ensure(networkPolicyOf(object, surroundings), signal)
  const start = status.start ?? { from: 'continue' }
  for (const identity of decision.start) {
    await world.pods.create(
      podOf({ job: object, revision, identity, start, isWarm: false }),
      signal,
    )
  }
}

/** What its pods need that the objects of the epoch before do not give them. */
async function prepare(
  { object }: ObservedJob,
  { revision, start, from }: WarmPods,
  { options, signal }: Pass,
): Promise<void> {
  const { world } = options
  const [first] = start
  if (first === undefined) return
  await world.secrets.create(secretOf(object, first.epoch, options), signal)
  await world.configMaps.ensure(manifestFileOf(object, revision), signal)
  for (const identity of start) {
    const pod = podOf({ job: object, revision, identity, start: from, isWarm: true })
    await world.pods.create(pod, signal)
  }
}

function secretOf(object: StreamJobObject, epoch: number, { masterKey }: ReconcileJobOptions) {
  const key = epochKey(masterKey, { uid: object.metadata.uid ?? '', epoch })
  return keyOfEpoch(object, epoch, key)
}

/** As with any order: who does not answer is asked again by the next pass. */
async function begin({ object, pods }: ObservedJob, { options, signal }: Pass): Promise<void> {
  const target = jobTarget(object, pods)
  if (target !== undefined) await options.link.begin(target, signal).catch(() => {})
}

/** A jobmanager that does not answer is asked again by the next pass, until that gives it up. */
async function giveOrder(
  { object, pods }: ObservedJob,
  { requestId, drain }: NonNullable<JobDecision['order']>,
  { options, signal }: Pass,
): Promise<void> {
  const target = jobTarget(object, pods)
  if (target === undefined) return
  await options.link.stop(target, { requestId, savepoint: true, drain }, signal).catch(() => {})
}

/** Revisions beyond the history, and what their pods read. */
async function forget({ object, status }: ObservedJob, { options, signal }: Pass): Promise<void> {
  const { world } = options
  const { current = '', stable = '', target = '' } = status.revision ?? {}
  const used = new Set([current, stable, target, status.refused?.revision ?? ''])
  const { uid = '', namespace } = object.metadata
  for (const old of surplusRevisions(world.revisions.cache.group(uid), used)) {
    const { name } = old.metadata
    const file = world.configMaps.cache.get(keyOf({ namespace, name }))
    if (file !== undefined) await world.configMaps.remove(file, undefined, signal)
    await world.revisions.remove(old, undefined, signal)
  }
}

/** Milliseconds until it is to be written, where it is not worth a write yet. */
async function writeStatus(
  observed: ObservedJob,
  decision: JobDecision,
  { options, pace, signal }: Pass,
): Promise<number | undefined> {
  const { world, record } = options
  const { object } = observed
  const status = nextStatus(observed, decision)
  if (isDeepStrictEqual(status, observed.status)) return undefined
  const key = keyOf(object.metadata)
  const tells = decision.events.length > 0 || decision.figures.length > 0
  const delayMs = tells ? 0 : pace.delayMs(key, observed.status, status)
  if (delayMs > 0) return delayMs
  world.mayWrite()
  const write = { status, manager: MANAGER, signal }
  const written = await writeWhole(world.jobs.client, object, write)
  pace.written(key)
  world.jobs.cache.set(written)
  for (const words of jobEvents(observed.status, status, decision.events)) record(object, words)
  for (const figure of decision.figures) options.observe(figure)
  return undefined
}
