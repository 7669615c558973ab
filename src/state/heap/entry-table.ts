/**
 * One state's entries by (key, namespace).
 *
 * Owns        the slots, growth, and which entries a running snapshot has not written yet.
 * Leaves out  what the values mean, TTL, how an entry is encoded (the sink does that).
 *
 * The table doubles by beginning a new generation of slots; the old one is drained a few slots at a
 * time by the accesses that follow, so that growing never stops the task. Every entry carries the
 * stamp of the last snapshot that is done with it: beginning a snapshot raises the table's stamp,
 * and so makes every entry pending, at no cost.
 *
 * Invariants
 *  E1  An entry is in one generation. What `find` and `insert` give is in `main`.
 *  E2  While a snapshot runs, an entry that was there when it began is written before it is
 *      changed, removed, handed out, or moved past the walk; exactly once.
 *
 * Source of deletion by backward shift: Knuth, TAOCP 3, 6.4, algorithm R.
 */
import { assert } from '../../common/assert.ts'
import type { CurrentKey } from './current-key.ts'
import { Generation, type GenerationShape, PAGE_SHIFT, tagOf } from './generation.ts'
import { ObjectPages } from './object-pages.ts'
import { PageCopies } from './page-copies.ts'
import type { RecordArena } from './record-arena.ts'

/** Takes the entries of the running snapshot. */
export interface EntrySink {
  /** Writes the entries of the slots from `from` up to `to`; gives the bytes they took. */
  writeEntries(generation: Generation, from: number, to: number): number
}

/** Is told before entries are added or removed, and so may move. */
export interface MoveGuard {
  beforeMove(): void
}

export interface TableOptions extends GenerationShape {
  /** Refuses the hash of a key that belongs to another subtask (K2). */
  checkOwned(hash: number): void
}

/** Whether an entry is to be removed. */
export type IsGone = (generation: Generation, slot: number) => boolean

/** A generation that a snapshot walks over. */
interface WalkStop {
  readonly generation: Generation
  /** Undefined where values are changed in place: then each entry is written before. */
  readonly copies: PageCopies | undefined
}

const FIRST_SLOTS = 16
/** Slots drained by an access while the table grows: done long before it must grow again. */
const DRAINED_AT_ONCE = 8
/** What a slice of a snapshot writes at most, but for its last few entries: some 30 µs. */
const SLICE_BYTES = 64 * 1024
/** Slots of copied pages that are written at once: so many entries may be beyond that. */
const SLOTS_AT_ONCE = 128

export class EntryTable {
  /** The slots of all entries but those that are still to be drained. */
  main: Generation
  /** The smaller generation before, while it is being drained. */
  old: Generation | undefined = undefined
  count = 0
  readonly #options: TableOptions
  readonly #arena: RecordArena | undefined
  /** The namespace of all entries, where each namespace has a table of its own; else 0. */
  readonly outerNamespace: number
  /** The next slot of `old` to drain. */
  #drained = 0
  /** Entries with a smaller stamp are pending. */
  #stamp = 1
  #sink: EntrySink | undefined = undefined
  /** What the running snapshot has yet to walk over; the last is being walked. */
  readonly #walk: WalkStop[] = []
  /** What the last snapshot copied pages into. */
  #spare: Generation | undefined = undefined
  #walked = 0
  readonly #visits: MoveGuard[] = []

  constructor(options: TableOptions, outerNamespace = 0) {
    this.#options = options
    this.outerNamespace = outerNamespace
    this.#arena = options.makeArena?.()
    this.main = new Generation(FIRST_SLOTS, options, this.#arena)
  }

  /** The slot in `main` of the current key's entry, which may be changed; -1 when absent. */
  find(current: CurrentKey, namespace: number): number {
    const tag = namespace === 0 ? current.hash : tagOf(current.hash, namespace)
    const { main } = this
    const slot =
      main.keys === undefined
        ? findNumbers(main, current, namespace)
        : main.findKey(tag, current.key, namespace)
    if (slot < 0) return this.old === undefined ? -1 : this.#fetch(current, namespace)
    if (main.isPending(slot)) this.#preserve(main, slot)
    return slot
  }

  /** Makes the entry of the current key, which has none. Gives its slot in `main`. */
  insert(current: CurrentKey, namespace: number): number {
    assert(current.isSet, 'K1: a key is set before state is used')
    this.#options.checkOwned(current.hash)
    this.#warnVisits()
    if (this.count * 10 >= this.main.capacity * 7) this.#grow()
    const { main } = this
    const tag = tagOf(current.hash, namespace)
    const slot = main.freeSlot(tag)
    if (main.isPending(slot)) this.#preserve(main, slot)
    main.occupy(slot, tag, this.#stamp)
    this.#putKey(slot, current, namespace)
    if (main.namespaces !== undefined) main.namespaces[slot] = namespace
    else if (namespace !== 0) main.addNamespaces()[slot] = namespace
    this.count++
    if (this.old !== undefined) this.#drain()
    return slot
  }

  /** Keeps the key beside the tag where that is not all of it (G2). */
  #putKey(slot: number, current: CurrentKey, namespace: number): void {
    const { main } = this
    const isFirst = this.count === 0 && main.keys === undefined
    if (current.isPair && (main.pairs !== undefined || isFirst) && main.keys === undefined) {
      const pairs = main.pairs ?? main.addPairs()
      pairs[slot * 2] = current.first
      pairs[slot * 2 + 1] = current.second
      return
    }
    const isExact = current.isInt && namespace === 0 && main.pairs === undefined
    const keys = main.keys ?? (isExact ? undefined : main.addKeys())
    keys?.set(slot, current.owned())
  }

  remove(generation: Generation, slot: number): void {
    assert(generation.isEntry(slot), 'E1: a removed entry is there')
    this.#warnVisits()
    if (this.#walk.length > 0) this.#preserveRun(generation, slot)
    generation.freeRecord(slot)
    if (generation === this.main) generation.close(slot)
    else generation.drop(slot)
    this.count--
  }

  /** The namespace as the state's user knows it. */
  namespaceOf(generation: Generation, slot: number): number {
    return generation.namespaces === undefined ? this.outerNamespace : generation.namespace(slot)
  }

  generations(): readonly Generation[] {
    return this.old === undefined ? [this.main] : [this.old, this.main]
  }

  /** `visit` is told before entries move, until `endVisit`. Visits may nest. */
  beginVisit(visit: MoveGuard): void {
    this.#visits.push(visit)
  }

  endVisit(): void {
    this.#visits.pop()
  }

  /** Removes all entries for which `isGone` holds. */
  removeWhere(isGone: IsGone): void {
    for (const generation of this.generations()) {
      this.removeFrom(generation, { from: 0, count: generation.capacity, isGone })
    }
  }

  /** The same among `count` slots. */
  removeFrom(
    generation: Generation,
    range: { readonly from: number; readonly count: number; readonly isGone: IsGone },
  ): void {
    const stop = Math.min(range.from + range.count, generation.capacity)
    let slot = range.from
    while (slot < stop) {
      // Another entry may move into the slot: it is looked at again.
      if (generation.isEntry(slot) && range.isGone(generation, slot)) this.remove(generation, slot)
      else slot++
    }
  }

  /** Brings the entries of these hashes into the cache. */
  touch(hashes: Int32Array, count: number): number {
    return this.main.touch(hashes, count)
  }

  beginSnapshot(sink: EntrySink): void {
    assert(this.#sink === undefined, 'E2: one snapshot at a time')
    this.#sink = sink
    this.#stamp++
    this.#walked = 0
    const isCopied = !(this.main.values instanceof ObjectPages) && this.#arena === undefined
    for (const generation of this.generations()) {
      const copies = isCopied ? new PageCopies(generation, this.#options, this.#spare) : undefined
      generation.beginPending()
      this.#walk.push({ generation, copies })
    }
  }

  /**
   * Walks over the next `count` slots, or fewer where they hold much, and writes their entries;
   * true when the snapshot has all.
   */
  writeSome(count: number): boolean {
    let slotsLeft = count
    let bytesLeft = SLICE_BYTES
    for (let stop = this.#walk.at(-1); stop !== undefined; stop = this.#walk.at(-1)) {
      const { capacity } = stop.generation
      while (this.#walked < capacity) {
        if (slotsLeft <= 0 || bytesLeft <= 0) return false
        const before = this.#walked
        bytesLeft -= this.#writeOn(stop, Math.min(slotsLeft, capacity - before))
        slotsLeft -= this.#walked - before
      }
      this.#settle(stop)
      this.#walk.pop()
      this.#walked = 0
    }
    return true
  }

  /** Writes one slot or a few of a page, at most `count`; gives the bytes. */
  #writeOn({ generation, copies }: WalkStop, count: number): number {
    const slot = this.#walked
    const atOnce = copies === undefined ? 1 : SLOTS_AT_ONCE - (slot % SLOTS_AT_ONCE)
    const end = slot + Math.min(count, atOnce)
    const bytes =
      copies === undefined
        ? this.#writeOnce(generation, slot)
        : (this.#sink as EntrySink).writeEntries(copies.at(slot), slot, end)
    this.#walked = end
    if (end % (1 << PAGE_SHIFT) === 0) generation.settlePage(slot >>> PAGE_SHIFT)
    return bytes
  }

  endSnapshot(): void {
    for (const stop of this.#walk) this.#settle(stop)
    this.#walk.length = 0
    this.#sink = undefined
  }

  /** The memory of the copies is kept: touching fresh memory is what would make the next slow. */
  #settle({ generation, copies }: WalkStop): void {
    generation.endPending()
    if (copies !== undefined && generation === this.main) this.#spare = copies.memory
  }

  get bytes(): number {
    const beside = (this.#arena?.bytes ?? 0) + (this.#spare?.bytes ?? 0)
    return this.generations().reduce((sum, generation) => sum + generation.bytes, beside)
  }

  /** Looks in the old generation, and takes the entry over into `main`. */
  #fetch(current: CurrentKey, namespace: number): number {
    const old = this.old as Generation
    const slot =
      old.keys === undefined
        ? findNumbers(old, current, namespace)
        : old.findKey(tagOf(current.hash, namespace), current.key, namespace)
    const fetched = slot < 0 ? -1 : this.#advance(old, slot)
    this.#drain()
    return fetched
  }

  #grow(): void {
    while (this.old !== undefined) this.#drain()
    this.old = this.main
    this.#drained = 0
    this.main = new Generation(this.old.capacity * 2, this.#options, this.#arena)
    this.#spare = undefined
    if (this.old.keys !== undefined) this.main.addKeys()
    else if (this.old.pairs !== undefined) this.main.addPairs()
    if (this.old.namespaces !== undefined) this.main.addNamespaces()
  }

  #drain(): void {
    const old = this.old as Generation
    const stop = Math.min(this.#drained + DRAINED_AT_ONCE, old.capacity)
    for (let slot = this.#drained; slot < stop; slot++) {
      if (old.isEntry(slot)) this.#advance(old, slot)
    }
    this.#drained = stop
    if (stop === old.capacity) this.old = undefined
  }

  /** Moves an entry to `main`. The walk may have been there already: it is written first (E2). */
  #advance(old: Generation, slot: number): number {
    this.#warnVisits()
    const { main } = this
    if (old.isPending(slot)) this.#preserve(old, slot)
    const to = main.freeSlot(old.tag(slot))
    if (main.isPending(to)) this.#preserve(main, to)
    old.moveTo(main, slot, to)
    return to
  }

  /** Before a pending slot is changed: copies its page, or writes its entry. */
  #preserve(generation: Generation, slot: number): void {
    const { copies } = this.#walk.find(stop => stop.generation === generation) as WalkStop
    if (copies === undefined) this.#writeOnce(generation, slot)
    else copies.save(slot)
  }

  #writeOnce(generation: Generation, slot: number): number {
    const stamp = generation.stamp(slot)
    if (stamp <= 0 || stamp === this.#stamp) return 0
    generation.slots[slot * 2 + 1] = this.#stamp
    return (this.#sink as EntrySink).writeEntries(generation, slot, slot + 1)
  }

  /** Closing the gap changes slots, and may move entries from ahead of the walk to behind it. */
  #preserveRun(generation: Generation, slot: number): void {
    if (generation.isPending(slot)) this.#preserve(generation, slot)
    if (generation !== this.main) return
    for (const follower of generation.followers(slot)) {
      if (generation.isPending(follower)) this.#preserve(generation, follower)
    }
  }

  #warnVisits(): void {
    for (const visit of this.#visits) visit.beforeMove()
  }
}

/** Where keys are no objects. */
function findNumbers(generation: Generation, current: CurrentKey, namespace: number): number {
  if (generation.pairs === undefined) {
    return current.isInt && namespace === 0 ? generation.findTag(current.hash) : -1
  }
  if (!current.isPair) return -1
  return generation.findPair(tagOf(current.hash, namespace), current, namespace)
}
