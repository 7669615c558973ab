/** One pass over a StreamJob that is deleted and held: see `deletion-policies.ts`. */
import { parseDuration } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import type { StreamJobSpec } from '../../protocol/stream-job.ts'
import type { EventWords } from '../kube/event-series.ts'
import { type FinalizerChange, finalizerPatch, isForced, isHeld } from '../kube/finalizer.ts'
import type { KubeObject } from '../kube/kube-object.ts'
import { refusalIn, type WriteRefusal } from '../kube/write-refusal.ts'
import type { JobLink, JobTarget } from '../link/job-link.ts'
import {
  type DeletionDecision,
  decideDeletion,
  type ObservedDeletion,
  orphaned,
  stopRequestId,
} from './deletion-policies.ts'
import { metadataOf } from './job-objects.ts'
import type { JobWorld } from './job-world.ts'
import { finalSavepointOf } from './left-savepoint.ts'
import type { ObservedJob } from './observed-job.ts'
import type { StreamJobObject } from './stream-job-object.ts'
import { verbPod, verbPods } from './verb-pod.ts'

export interface DeletionOptions {
  readonly world: JobWorld
  readonly link: Pick<JobLink, 'stop'>
  readonly record: (object: KubeObject, words: EventWords) => void
}

export interface DeletionPass {
  readonly observed: ObservedJob
  readonly target: JobTarget | undefined
  readonly options: DeletionOptions
  readonly signal: AbortSignal
}

/** Acts, and gives what the status is to say; `undefined`: the job is gone. */
export async function reconcileDeletion(pass: DeletionPass): Promise<DeletionDecision | undefined> {
  const { observed, options } = pass
  const { object, status, pods, nowMs, deployed } = observed
  const sinceMs = Date.parse(object.metadata.deletionTimestamp ?? '')
  const spec = deployed?.manifest.spec
  const decision = decideDeletion({
    policy: policyOf(object),
    isForced: isForced(object.metadata),
    isBegun: status.phase === 'Deleting',
    epoch: status.epoch,
    sinceMs,
    stopTimeoutMs: parseDuration(stopTimeoutOf(object)) ?? 0,
    pods,
    ...(await orderStop(pass, sinceMs)),
    isRecorded: spec !== undefined,
    purges: verbPods(options.world.pods.cache.group(object.metadata.uid ?? ''), nowMs),
    nowMs,
  })
  const refused = await refusalIn(() => act(decision, pass))
  if (refused !== undefined) return refusedStep(decision, refused, pass)
  if (decision.event !== undefined) options.record(object, decision.event)
  return decision.release ? undefined : decision
}

/** The namespace goes: nothing can be made there that would do more. Else it is tried again. */
async function refusedStep(
  decision: DeletionDecision,
  refused: WriteRefusal,
  pass: DeletionPass,
): Promise<DeletionDecision | undefined> {
  const { observed, options } = pass
  const { reason, message } = refused
  if (reason === 'NamespaceTerminating') {
    const over = orphaned(message)
    await act(over, pass)
    if (over.event !== undefined) options.record(observed.object, over.event)
    return undefined
  }
  const findings = (['Ready', 'Scheduled'] as const).map(type => {
    return { type, holds: false, reason, message }
  })
  return { ...decision, findings, againMs: Math.min(decision.againMs ?? RETRY_MS, RETRY_MS) }
}

const RETRY_MS = 10_000

type Policy = StreamJobSpec['deletionPolicy']

function policyOf({ spec }: StreamJobObject): Policy {
  const { deletionPolicy = 'keep' } = (spec ?? {}) as { readonly deletionPolicy?: Policy }
  return deletionPolicy
}

/** With `keep` nothing is to hold the job when it is deleted. */
export function holdChange(object: StreamJobObject): FinalizerChange | undefined {
  const isWanted = policyOf(object) !== 'keep'
  if (isWanted === isHeld(object.metadata)) return undefined
  return isWanted ? 'add' : 'remove'
}

function stopTimeoutOf({ spec }: StreamJobObject): string {
  const { stop } = (spec ?? {}) as { readonly stop?: { readonly timeout?: string } }
  return stop?.timeout ?? '10m'
}

/** X1: gives the order, or asks what became of it. No answer is no news: there is a deadline. */
async function orderStop(
  pass: DeletionPass,
  sinceMs: number,
): Promise<Pick<ObservedDeletion, 'stop' | 'silence'>> {
  const { observed, target, options, signal } = pass
  const policy = policyOf(observed.object)
  const isOrdered = policy === 'savepoint' || policy === 'drain'
  if (!isOrdered || target === undefined || observed.status.phase !== 'Deleting') {
    return { stop: undefined, silence: undefined }
  }
  const requestId = stopRequestId(target, { sinceMs, nowMs: observed.nowMs })
  try {
    const order = { requestId, savepoint: true, drain: policy === 'drain' }
    return { stop: await options.link.stop(target, order, signal), silence: undefined }
  } catch (error) {
    return { stop: undefined, silence: messageOf(error) }
  }
}

async function act(decision: DeletionDecision, pass: DeletionPass): Promise<void> {
  const { observed, options, signal } = pass
  const { world } = options
  const { object, deployed, status } = observed
  for (const { pod } of decision.stop) await world.pods.remove(pod, undefined, signal)
  if (decision.purge !== undefined && deployed !== undefined) {
    const [owner] = metadataOf(object, '').ownerReferences
    const configMap = status.revision?.current ?? ''
    const pod = verbPod({
      name: `${configMap}-purge-${decision.purge}`,
      namespace: object.metadata.namespace ?? '',
      owner,
      job: object.metadata.name,
      deployed,
      configMap,
      args: ['purge', '/var/run/weir/deployment/job.yaml'],
      number: decision.purge,
    })
    await world.pods.create(pod, signal)
  }
  if (decision.adopt !== undefined) {
    await world.savepoints.create(finalSavepointOf(object, decision.adopt.path), signal)
  }
  if (!decision.release) return
  world.mayWrite()
  const { metadata } = object
  await world.jobs.client.patch(metadata, finalizerPatch(metadata, 'remove'), signal)
}
