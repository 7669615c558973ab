/**
 * Passes over an object that keep failing are said in its status: who owns the object does not read
 * the log of the controller. What passes by itself is not: an API server that is away or busy,
 * somebody who was faster. The first pass that goes well takes it back, as it says anew what holds.
 */
import type { Clock } from '../common/clock.ts'
import { isWeirError, messageOf } from '../common/errors.ts'
import type { Condition } from '../protocol/status-fields.ts'
import { conditionsOf, INTERNAL_ERROR } from './conditions.ts'
import type { EventWords } from './kube/event-series.ts'
import type { Watched } from './kube/kind-watcher.ts'
import { isKubeError } from './kube/kube-errors.ts'
import type { KubeObject } from './kube/kube-object.ts'
import type { Reconcile } from './kube/work-loop.ts'
import { writeRefusal } from './kube/write-refusal.ts'
import { writeStatus } from './kube/write-status.ts'

/** More than half a second of tries: a cache that was behind has caught up. */
const TRIES = 8

interface WithConditions extends KubeObject {
  readonly status?: { readonly conditions?: Condition[] | undefined }
}

export interface SayFailuresOptions<T extends WithConditions> {
  readonly objects: Pick<Watched<T>, 'client' | 'cache'>
  /** Owns the fields of the status. */
  readonly manager: string
  /** Throws where this controller may not write. */
  readonly mayWrite: () => void
  readonly clock: Pick<Clock, 'now'>
  readonly record: (object: KubeObject, words: EventWords) => void
}

export function sayFailures<T extends WithConditions>(
  reconcile: Reconcile,
  options: SayFailuresOptions<T>,
): Reconcile {
  const failures = new Map<string, number>()
  return async (key, signal) => {
    try {
      const againMs = await reconcile(key, signal)
      failures.delete(key)
      return againMs
    } catch (error) {
      const message = signal.aborted ? undefined : messageFor(error)
      const object = options.objects.cache.get(key)
      if (message !== undefined && object !== undefined) {
        const count = (failures.get(key) ?? 0) + 1
        failures.set(key, count)
        // The pass is what failed: that this cannot be written either is no other news.
        if (isTold(count)) await say(object, message, { ...options, signal }).catch(() => {})
      }
      throw error
    }
  }
}

/** Ever more seldom: what is written wakes the object up, and its words may differ each time. */
function isTold(count: number): boolean {
  return count >= TRIES && Number.isInteger(Math.log2(count))
}

/** What happened, and what to do; `undefined`: it passes by itself. */
function messageFor(error: unknown): string | undefined {
  const refused = writeRefusal(error)
  if (refused !== undefined) return refused.message
  if (isWeirError(error)) {
    const isLacking = isKubeError(error, 'WEIR_KUBE_NOT_FOUND')
    if (error.domain === 'external' && !isLacking) return undefined
    return `${error.message}; ${error.next}`
  }
  return (
    `the controller cannot deal with it: ${messageOf(error)}; it is tried again by itself: ` +
    'report it with what the log of the controller has of "pass failed"'
  )
}

async function say<T extends WithConditions>(
  object: T,
  message: string,
  options: SayFailuresOptions<T> & { readonly signal: AbortSignal },
): Promise<void> {
  const { objects, manager, mayWrite, clock, record, signal } = options
  const { generation = 0 } = object.metadata
  const before = object.status?.conditions
  const finding = { type: 'Stalled', holds: true, reason: INTERNAL_ERROR, message }
  const conditions = conditionsOf({
    before,
    known: [finding.type],
    findings: [finding],
    generation,
    nowMs: clock.now(),
  })
  const was = before?.find(one => one.type === finding.type)
  const is = conditions.find(one => one.type === finding.type)
  const isNew = was?.reason !== INTERNAL_ERROR
  if (!isNew && was.message === is?.message && was.observedGeneration === generation) return
  mayWrite()
  // Of this generation nothing else can be said: tools look at no condition of an earlier one.
  const status = { ...object.status, observedGeneration: generation, conditions }
  objects.cache.set(await writeStatus(objects.client, object, { status, manager, signal }))
  const words = { type: 'Warning', reason: INTERNAL_ERROR, action: 'Reconcile' } as const
  if (isNew) record(object, { ...words, note: message })
}
