/**
 * One pass over a job: observe, decide, act, and one write of the status. What a later act builds
 * on is stored before: the epoch before its objects, those before its pods.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../common/clock.ts'
import { epochKey } from '../../protocol/job-keys.ts'
import type { EventWords } from '../kube/event-series.ts'
import { finalizerPatch, isHeld } from '../kube/finalizer.ts'
import { type KubeObject, keyOf } from '../kube/kube-object.ts'
import type { Reconcile } from '../kube/work-loop.ts'
import type { FactsPoller, Pace } from '../link/facts-poller.ts'
import type { JobLink } from '../link/job-link.ts'
import type { Admission } from '../tenancy/admission.ts'
import { demandOf } from '../tenancy/job-demand.ts'
import type { QuotaLedger } from '../tenancy/quota-ledger.ts'
import { jobEvents } from './job-events.ts'
import { epochName, MANAGER } from './job-names.ts'
import {
  deploymentOf,
  disruptionBudgetOf,
  keyOfEpoch,
  networkPolicyOf,
  serviceOf,
} from './job-objects.ts'
import { podOf } from './job-pods.ts'
import { decideJob, type JobDecision, type ObservedJob } from './job-policies.ts'
import { jobTarget } from './job-target.ts'
import type { JobWorld } from './job-world.ts'
import { nextStatus } from './next-status.ts'
import { observeJob } from './observe-job.ts'
import { podFacts } from './pod-facts.ts'
import { type DeletionPass, holdChange, reconcileDeletion } from './reconcile-deletion.ts'
import type { StreamJobObject } from './stream-job-object.ts'

export interface ReconcileJobOptions {
  readonly world: JobWorld
  /** `undefined`: tenants are nobody's business here. */
  readonly ledger: QuotaLedger | undefined
  /** Of deployments whose spec names no image. */
  readonly engineImage: string
  /** Where controllers run: they may reach the jobmanagers. */
  readonly namespace: string
  /** Keys of new deployments are derived of it. */
  readonly masterKey: string
  readonly link: Pick<JobLink, 'stop'>
  readonly poller: Pick<FactsPoller, 'heard' | 'want'>
  readonly clock: Clock
  readonly record: (object: KubeObject, words: EventWords) => void
}

export function reconcileJob(options: ReconcileJobOptions): Reconcile {
  return async (key, signal) => {
    const object = options.world.jobs.cache.get(key)
    if (object === undefined) {
      options.poller.want(key, undefined, 'seldom')
      return undefined
    }
    const pass = { options, signal }
    const isLeaving = object.metadata.deletionTimestamp !== undefined
    if (!isLeaving && (await hold(object, pass))) return 0
    const { observed, target } = observe(object, options)
    const decision = decideJob(observed)
    options.poller.want(key, target, paceOf(decision))
    if (isLeaving && isHeld(object.metadata)) return leave({ observed, target, options, signal })
    const isStored = decision.epoch === (observed.status.epoch ?? 0)
    if (!isStored && observed.admission.kind === 'unknown') return ADMISSION_SOON_MS
    // No await since the ledger was asked: nobody else can have taken the room.
    if (!isStored) options.ledger?.claim(object, demandOf(object.spec))
    // Without the epoch in the status nothing of it may exist: the next pass finds it there.
    if (isStored) await act(observed, decision, pass)
    await writeStatus(observed, decision, pass)
    return decision.againMs
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
  await writeStatus(observed, { ...decideJob(observed), findings: deletion.findings }, pass)
  return deletion.againMs
}

/** After a change of leaders the caches are compared first: only what wants to begin waits. */
const ADMISSION_SOON_MS = 250

interface Pass {
  readonly options: ReconcileJobOptions
  readonly signal: AbortSignal
}

function observe(object: StreamJobObject, options: ReconcileJobOptions) {
  const { world, poller, clock } = options
  const { metadata } = object
  const { namespace, uid = '' } = metadata
  const epoch = object.status?.epoch ?? 0
  const key = keyOf({ namespace, name: epochName(metadata, epoch) })
  const pods = world.pods.cache.group(uid).flatMap(pod => podFacts(pod) ?? [])
  const target = jobTarget(object, pods)
  const observed = observeJob({
    object,
    pods,
    deployment: world.configMaps.cache.get(key),
    heard: poller.heard(keyOf(metadata), target),
    admission: admissionOf(object, options),
    nowMs: clock.now(),
  })
  return { observed, target }
}

/** A job that is ready is looked at in passing. */
function paceOf({ findings }: JobDecision): Pace {
  return findings.some(one => one.type === 'Ready' && one.holds) ? 'seldom' : 'often'
}

function admissionOf(
  object: StreamJobObject,
  { ledger, clock }: Pick<ReconcileJobOptions, 'ledger' | 'clock'>,
): Admission {
  if (ledger === undefined) return { kind: 'free' }
  return ledger.ask(object, demandOf(object.spec), clock.now())
}

async function act(
  observed: ObservedJob,
  decision: JobDecision,
  { options, signal }: Pass,
): Promise<void> {
  const { world, engineImage, masterKey, namespace } = options
  const { object, checked, specDigest } = observed
  const { epoch } = decision
  if (decision.deploy) {
    const manifest = observed.deployed?.manifest ?? ('manifest' in checked && checked.manifest)
    if (!manifest) return
    const image = observed.deployed?.image ?? manifest.spec.image ?? engineImage
    const deployed = observed.deployed ?? { manifest, image, specDigest }
    const key = epochKey(masterKey, { uid: object.metadata.uid ?? '', epoch })
    // It is not watched: asked for when something will want it, and left as it is if it is there.
    const isWanted = observed.deployed === undefined || decision.start.length > 0
    if (isWanted) await world.secrets.create(keyOfEpoch(object, epoch, key), signal)
    await world.configMaps.ensure(deploymentOf(object, epoch, deployed), signal)
    await world.services.ensure(serviceOf(object, epoch), signal)
    await world.budgets.ensure(disruptionBudgetOf(object), signal)
    const isOfTenant = observed.admission.kind !== 'free'
    const surroundings = { controllerNamespace: namespace, isOfTenant }
    await world.policies.ensure(networkPolicyOf(object, surroundings), signal)
    for (const identity of decision.start) {
      await world.pods.create(podOf({ job: object, deployed, identity }), signal)
    }
  }
  for (const { pod } of decision.stop) await world.pods.remove(pod, undefined, signal)
}

async function writeStatus(
  observed: ObservedJob,
  decision: JobDecision,
  { options, signal }: Pass,
): Promise<void> {
  const { world, record } = options
  const { object } = observed
  const status = nextStatus(observed, decision)
  if (isDeepStrictEqual(status, observed.status)) return
  const { apiVersion, kind, metadata } = object
  const { name, namespace, resourceVersion } = metadata
  // A precondition: who decided on an older object decides again.
  const patch = {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(resourceVersion && { resourceVersion }),
    },
    status,
  }
  world.mayWrite()
  const written = await world.jobs.client.applyStatus(patch as never, { manager: MANAGER, signal })
  world.jobs.cache.set(written)
  for (const words of jobEvents(observed.status, status)) record(object, words)
}
