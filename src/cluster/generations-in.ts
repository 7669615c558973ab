import { generationOf, generationsPrefix } from '../checkpoint/checkpoint-layout.ts'
import type { ObjectStore } from '../storage/object-store.ts'

/** Those that attempts of the job have taken and that are still there; the newest is the last. */
export async function generationsIn(store: ObjectStore, jobId: string): Promise<readonly number[]> {
  const entries = await store.list(generationsPrefix(jobId))
  return entries.flatMap(entry => generationOf(entry.key) ?? []).sort((a, b) => a - b)
}

export async function newestGenerationIn(store: ObjectStore, jobId: string): Promise<number> {
  return (await generationsIn(store, jobId)).at(-1) ?? 0
}
