/** Why pods of a deployment do not run, in the words that people are shown. Pure. */
import type { StreamJobSpec } from '../../protocol/stream-job.ts'
import { remainingMs } from '../remaining-ms.ts'
import type { PodFacts } from './pod-facts.ts'

/** The kubelet says nothing in a status of a volume that it waits for: time does. */
const UNMADE_MS = 30_000

/** What is known beside the pods. */
export interface Surroundings {
  readonly nowMs: number
  /** As `Secret kafka`. */
  readonly mounts: readonly string[]
}

/** What the pods of a job mount by the names in its spec. */
export function mountsOf({ secrets = [], podTemplate }: StreamJobSpec): readonly string[] {
  const texts = secrets.map(({ name }) => `Secret ${name}`)
  if (podTemplate !== undefined) texts.push('the volumes of spec.podTemplate')
  return texts
}

/** Until a pod without containers is worth a word; `undefined`: it is already, or needs none. */
export function untilOverdueMs(pod: PodFacts, nowMs: number): number | undefined {
  if (!pod.isUnmade) return undefined
  const leftMs = remainingMs(pod.bornMs, UNMADE_MS, nowMs)
  return leftMs > 0 ? leftMs : undefined
}

/** Why a pod waits; `undefined`: it has only begun to. */
export function waitWords(pod: PodFacts, { nowMs, mounts }: Surroundings): string | undefined {
  const { name } = pod.pod.metadata
  if (pod.state !== 'pending') return undefined
  if (pod.why !== undefined) return `pod ${name}: ${pod.why}`
  if (!pod.isUnmade || untilOverdueMs(pod, nowMs) !== undefined) return undefined
  const all = mounts.length === 0 ? '' : ` (${mounts.join(', ')})`
  return (
    `pod ${name}: its containers are not begun: what it mounts${all} or its network is ` +
    `awaited; kubectl describe pod ${name} names it`
  )
}

/** How the newest pod that died did; it stays until another runs in its place. */
export function deathWords(pods: readonly PodFacts[]): string | undefined {
  const [dead] = pods
    .filter(one => one.state === 'failed')
    .toSorted((a, b) => b.endedMs - a.endedMs || b.attempt - a.attempt)
  if (dead === undefined) return undefined
  return `pod ${dead.pod.metadata.name}: ${dead.why ?? 'it did not say why'}`
}

/** The first that there is to say. */
export function troubleOf(pods: readonly PodFacts[], about: Surroundings): string | undefined {
  const waiting = pods.map(one => waitWords(one, about)).find(words => words !== undefined)
  return deathWords(pods) ?? waiting
}
