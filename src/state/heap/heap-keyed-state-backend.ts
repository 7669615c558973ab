/**
 * Keyed state on the heap: flat tables per state, timers beside them, snapshots by copy on write.
 *
 * Owns        the current key, the open states and timer queues, what was restored and is not open
 *             yet, the running snapshot.
 * Leaves out  files and uploads, when to take a snapshot, routing.
 *
 * Invariants: K1 to K3 of the port, and
 *  B1  At most one snapshot runs; beginning another one first writes the older to its end.
 *  B2  Nothing is restored after a state was opened.
 */
import type { Key } from '../../api/functions.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import { assert } from '../../common/assert.ts'
import type { Clock } from '../../common/clock.ts'
import { ChunkPool } from '../chunk-pool.ts'
import { foldKey, type PrimitiveKey, unfoldKey } from '../key.ts'
import { type KeyGroupRange, keyGroupOf } from '../key-groups.ts'
import type {
  InternalStateOf,
  KeyedStateBackend,
  RestoredKeyedState,
  SnapshotRun,
  StateAccessOptions,
} from '../keyed-state-backend.ts'
import { isIntPair } from '../pair-key.ts'
import { RestoredBlocks } from '../restored-blocks.ts'
import { stateErrors } from '../state-errors.ts'
import type { TimerQueue } from '../timer-queue.ts'
import { CurrentKey } from './current-key.ts'
import { HeapSnapshot } from './heap-snapshot.ts'
import { HeapTimerQueue } from './heap-timer-queue.ts'
import { KeysAhead } from './keys-ahead.ts'
import { type OpenState, openState } from './open-state.ts'
import { loadState, loadTimers } from './restore-state.ts'

export interface HeapBackendOptions {
  /** For messages. */
  readonly operatorName: string
  readonly maxParallelism: number
  /** The key groups of this subtask. */
  readonly range: KeyGroupRange
  /** For TTL, and for the time a slice of a snapshot takes. */
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  /**
   * `incremental` (the default): writes and snapshots drop expired entries they come across.
   * `none`: an expired entry goes only when it is read, or with a restore.
   */
  readonly ttlCleanup?: 'incremental' | 'none'
  /** Slots of a table from which on objects with strings are kept encoded. */
  readonly encodedFrom?: number | undefined
}

export function makeHeapBackend(options: HeapBackendOptions): HeapKeyedStateBackend {
  return new HeapKeyedStateBackend(options)
}

export class HeapKeyedStateBackend implements KeyedStateBackend {
  readonly maxParallelism: number
  readonly range: KeyGroupRange
  readonly #options: HeapBackendOptions
  readonly #current = new CurrentKey()
  readonly #ahead = new KeysAhead()
  readonly #states = new Map<string, OpenState>()
  readonly #timers = new Map<string, HeapTimerQueue>()
  readonly #restored: RestoredBlocks
  readonly #pool = new ChunkPool()
  #run: HeapSnapshot | undefined = undefined

  constructor(options: HeapBackendOptions) {
    this.#options = options
    this.maxParallelism = options.maxParallelism
    this.range = options.range
    this.#restored = new RestoredBlocks(options.operatorName)
  }

  setCurrentKey(key: Key): void {
    if (typeof key === 'number' && (key | 0) === key) this.#current.setInt(key | 0)
    else if (isIntPair(key)) {
      const [first, second] = key
      this.#current.setPair(first | 0, second | 0, this.#ahead.hashOfPair(first | 0, second | 0))
    } else this.#setAnyKey(key)
  }

  #setAnyKey(key: Key): void {
    const folded = foldKey(key)
    this.#current.setHashed(folded, this.#ahead.hashOf(key, folded))
  }

  beginKeysAhead(): boolean {
    this.#ahead.clear()
    for (const { tables } of this.#states.values()) if (tables.isLarge) return true
    return false
  }

  noteKeyAhead(key: Key): void {
    this.#ahead.note(key)
  }

  fetchKeysAhead(): void {
    const { hashes, count } = this.#ahead
    for (const { tables } of this.#states.values()) tables.touch(hashes, count)
  }

  setFoldedKey(key: PrimitiveKey): void {
    this.#current.set(key)
  }

  foldedKey(): PrimitiveKey {
    const { key } = this.#current
    assert(key !== undefined, 'K1: a key is set before it is asked for')
    return key
  }

  currentKey(): Key {
    return unfoldKey(this.foldedKey())
  }

  state<D extends StateDescriptor>(
    name: string,
    descriptor: D,
    options: StateAccessOptions = {},
  ): InternalStateOf<D> {
    const layout = options.layout ?? 'key'
    const known = this.#states.get(name)
    const state = known ?? this.#open(name, descriptor, layout)
    const first = `${state.meta.kind} by ${state.layout}`
    const second = `${descriptor.kind} by ${layout}`
    if (first !== second) {
      const { operatorName: operator } = this.#options
      throw stateErrors.WEIR_STATE_REDECLARED({ operator, state: name, first, second })
    }
    return state.handle as unknown as InternalStateOf<D>
  }

  #open(name: string, descriptor: StateDescriptor, layout: 'key' | 'namespace'): OpenState {
    const { operatorName, clock, ttlCleanup, encodedFrom } = this.#options
    const state = openState(descriptor, {
      operatorName,
      name,
      layout,
      current: this.#current,
      clock,
      sweepsExpired: ttlCleanup !== 'none',
      encodedFrom,
      checkOwned: this.#checkOwned,
    })
    loadState(state, this.#restored, operatorName)
    this.#states.set(name, state)
    return state
  }

  timerQueue(name: string): TimerQueue {
    const known = this.#timers.get(name)
    if (known !== undefined) return known
    const queue = new HeapTimerQueue({ current: this.#current, checkOwned: this.#checkOwned })
    loadTimers(queue, this.#restored, { name, current: this.#current })
    this.#timers.set(name, queue)
    return queue
  }

  restore(restored: readonly RestoredKeyedState[]): void {
    assert(this.#states.size + this.#timers.size === 0, 'B2: restore comes before the first state')
    for (const one of restored) this.#restored.add(one, this.range)
  }

  /** `checkpointId` names nothing here: the bytes are the same for all. */
  beginSnapshot(_checkpointId: number): SnapshotRun {
    this.#run?.step(Number.POSITIVE_INFINITY)
    // Handles must look their entries up again, so that each is preserved before it is touched.
    this.#current.invalidate()
    const { operatorName, clock, maxParallelism, range } = this.#options
    this.#run = new HeapSnapshot({
      operatorName,
      clock,
      maxParallelism,
      range,
      pool: this.#pool,
      states: this.#states.values(),
      timers: this.#timers.entries(),
      moved: () => this.#current.invalidate(),
      ended: () => {
        this.#run = undefined
      },
    })
    return this.#run
  }

  size(): { readonly bytes: number; readonly entries: number } {
    let bytes = 0
    let entries = 0
    for (const { tables } of this.#states.values()) {
      for (const table of tables.all()) {
        bytes += table.bytes
        entries += table.count
      }
    }
    for (const queue of this.#timers.values()) {
      bytes += queue.bytes
      entries += queue.size
    }
    return { bytes, entries }
  }

  dispose(): void {
    this.#run?.cancel()
    this.#states.clear()
    this.#timers.clear()
  }

  readonly #checkOwned = (hash: number): void => {
    const { start, end } = this.range
    const keyGroup = keyGroupOf(hash, this.maxParallelism)
    if (keyGroup < start || keyGroup > end) {
      const { operatorName: operator } = this.#options
      throw stateErrors.WEIR_KEY_OUTSIDE_RANGE({ operator, keyGroup, start, end })
    }
  }
}
