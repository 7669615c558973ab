import type { Source } from '../../api/source.ts'
import type { Schema } from '../../schema/type.ts'
import { numberedSource } from '../numbered-source.ts'
import type { NumberedSplit } from '../numbered-split.ts'

/** How the items are named and typed. */
export interface CollectionOptions<T> {
  /** The schema of the items; without it they travel by the general codec. */
  readonly type?: Schema<T>
  readonly name?: string
}

/**
 * A bounded source of the given items, in their order when read by one subtask. The job must be
 * built with the same items when it is restored: a checkpoint holds only how far they were read.
 */
export function collectionSource<T>(
  items: readonly T[],
  options: CollectionOptions<T> = {},
): Source<T, NumberedSplit> {
  return numberedSource({
    name: options.name ?? 'collection',
    type: options.type,
    count: items.length,
    makeRecordAt: () => n => items[n] as T,
  })
}
