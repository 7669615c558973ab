/** Fills a state that was just opened from the restored blocks of its name. */
import type { ByteReader } from '../../common/bytes.ts'
import { bytesErrors } from '../../common/bytes.ts'
import type { RestoredBlocks } from '../restored-blocks.ts'
import type { EntryKey } from '../snapshot-format.ts'
import { readEntryKey } from '../snapshot-format.ts'
import { type StoredReaders, storedReaders } from '../stored-readers.ts'
import { CurrentKey } from './current-key.ts'
import type { HeapTimerQueue } from './heap-timer-queue.ts'
import type { OpenState } from './open-state.ts'

/** Throws WEIR_STATE_INCOMPATIBLE or WEIR_STATE_SNAPSHOT_MALFORMED. */
export function loadState(state: OpenState, restored: RestoredBlocks, operatorName: string): void {
  const current = new CurrentKey()
  const entryKey: EntryKey = { key: 0, namespace: 0 }
  for (const { meta, blocks } of restored.takeState(state.meta.name)) {
    const readers = storedReaders(state.descriptor, meta, operatorName)
    for (const block of blocks) {
      restored.read(block.keyGroup, () => {
        for (let left = block.count; left > 0; left--) {
          readEntryKey(block.input, entryKey)
          current.set(entryKey.key)
          loadEntry(state, block.input, { readers, current, namespace: entryKey.namespace })
        }
        expectEnd(block.input)
      })
    }
  }
  state.cursor.forget()
}

interface EntryPlace {
  readonly readers: StoredReaders
  readonly current: CurrentKey
  readonly namespace: number
}

function loadEntry(state: OpenState, input: ByteReader, place: EntryPlace): void {
  const { readers, current, namespace } = place
  const restored = state.contents.read(input, readers)
  if (restored === undefined) return
  const inner = state.tables.innerNamespace(namespace)
  const table = state.tables.open(namespace)
  if (table.find(current, inner) >= 0) {
    throw bytesErrors.WEIR_BYTES_MALFORMED({ what: 'a key that came before', offset: input.offset })
  }
  const kept = state.cells.keep(restored.cell)
  const slot = table.insert(current, inner)
  const { main } = table
  state.cells.set(main, slot, kept)
  if (main.times !== undefined) main.times[slot] = restored.time
}

/** Leaves the current key as it was. */
export function loadTimers(
  queue: HeapTimerQueue,
  restored: RestoredBlocks,
  options: { readonly name: string; readonly current: CurrentKey },
): void {
  const { name, current } = options
  const before = current.key
  const entryKey: EntryKey = { key: 0, namespace: 0 }
  for (const { blocks } of restored.takeTimers(name)) {
    for (const block of blocks) {
      restored.read(block.keyGroup, () => {
        for (let left = block.count; left > 0; left--) {
          readEntryKey(block.input, entryKey)
          current.set(entryKey.key)
          queue.add(entryKey.namespace, block.input.readFloat64())
        }
        expectEnd(block.input)
      })
    }
  }
  if (before !== undefined) current.set(before)
}

function expectEnd(input: ByteReader): void {
  if (input.remaining > 0) {
    const what = `${input.remaining} bytes too many`
    throw bytesErrors.WEIR_BYTES_MALFORMED({ what, offset: input.offset })
  }
}
