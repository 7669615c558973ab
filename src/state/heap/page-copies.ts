/**
 * A generation as it was when a snapshot began, for values that lie in typed arrays: before
 * anything in a page of slots is first changed, the page is copied. Copying a page is so cheap that
 * a snapshot costs the work beside it next to nothing, and the walk still meets the entries in the
 * order in which they lie in memory.
 *
 * Invariant
 *  PC1  `at(slot)` shows the slot as it was at the begin, whatever was written after `save(slot)`.
 *       A page is copied once: then, or when the walk is past it, it is pending no more.
 */
import { Generation, type GenerationShape, PAGE_SHIFT, type Values } from './generation.ts'
import { ObjectPages } from './object-pages.ts'

export class PageCopies {
  readonly #live: Generation
  readonly #shape: GenerationShape
  readonly #hadKeys: boolean
  readonly #hadPairs: boolean
  readonly #hadNamespaces: boolean
  readonly #spare: Generation | undefined
  /** Holds the pages that were copied; made for the first one. */
  #copy: Generation | undefined = undefined
  readonly #copied: Uint8Array

  /** `spare` is the memory of an earlier snapshot, used again if it has the right size. */
  constructor(live: Generation, shape: GenerationShape, spare: Generation | undefined) {
    this.#live = live
    this.#shape = shape
    this.#spare = spare?.capacity === live.capacity ? spare : undefined
    this.#hadKeys = live.keys !== undefined
    this.#hadPairs = live.pairs !== undefined
    this.#hadNamespaces = live.namespaces !== undefined
    this.#copied = new Uint8Array(((live.capacity - 1) >>> PAGE_SHIFT) + 1)
  }

  /** When the snapshot is done: memory for the next. */
  get memory(): Generation | undefined {
    return this.#copy ?? this.#spare
  }

  /** Where to read a slot as it was. */
  at(slot: number): Generation {
    return this.#copied[slot >>> PAGE_SHIFT] === 1 ? (this.#copy as Generation) : this.#live
  }

  /** To be called before anything at a pending slot is changed. */
  save(slot: number): void {
    const page = slot >>> PAGE_SHIFT
    const live = this.#live
    const copy = this.#copy ?? this.#makeCopy()
    const from = page << PAGE_SHIFT
    const to = Math.min(from + (1 << PAGE_SHIFT), live.capacity)
    copyRange(copy.slots, live.slots, [from * 2, to * 2])
    const { width } = this.#shape
    copyRange(copy.values, live.values, [from * width, to * width])
    copyRange(copy.pairs, live.pairs, [from * 2, to * 2])
    copyRange(copy.times, live.times, [from, to])
    copyRange(copy.namespaces, live.namespaces, [from, to])
    for (let slot = from; copy.keys !== undefined && slot < to; slot++) {
      if (live.isEntry(slot)) copy.keys.set(slot, live.key(slot))
    }
    this.#copied[page] = 1
    live.settlePage(page)
  }

  #makeCopy(): Generation {
    const copy = this.#spare ?? new Generation(this.#live.capacity, this.#shape, undefined)
    copy.keys = this.#hadKeys ? new ObjectPages(copy.capacity) : undefined
    if (!this.#hadPairs) copy.pairs = undefined
    else if (copy.pairs === undefined) copy.addPairs()
    copy.namespaces = this.#hadNamespaces ? new Float64Array(copy.capacity) : undefined
    this.#copy = copy
    return copy
  }
}

type Cells = Values | undefined

function copyRange(to: Cells, from: Cells, [start, end]: readonly [number, number]): void {
  // What is not there was not there at the begin either, or need not be: keys are their tags.
  if (to === undefined || from === undefined) return
  if (to instanceof ObjectPages || from instanceof ObjectPages) return
  to.set(from.subarray(start, end), start)
}
