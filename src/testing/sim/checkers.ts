/**
 * What is promised, one checker a promise. They look at the edges only: what lies in the store,
 * what was ordered, what was committed.
 *
 * A checkpoint is *valid* once an attempt ordered its commit, or a newer attempt went on from it.
 */
import {
  checkpointIdOf,
  METADATA_FILE,
  snapshotFolder,
} from '../../checkpoint/checkpoint-layout.ts'
import { type GenerationBase, readGeneration } from '../../checkpoint/generation.ts'
import { readMetadata } from '../../checkpoint/metadata-text.ts'
import { type Bank, balancesAt, INITIAL_BALANCE } from './bank.ts'
import type { Transaction } from './ledger.ts'
import { checkOutput } from './output-checkers.ts'
import type { Scheduler } from './scheduler.ts'
import { readStoredCut, type StoredCut } from './stored-cut.ts'

export type CheckerName =
  | 'no-record-lost'
  | 'no-record-doubled'
  /** A key path: what one split says of one account comes out in its order. */
  | 'no-record-reordered'
  | 'balances-follow'
  | 'completed-restores'
  | 'money-is-constant'
  /** The balances of a checkpoint are those of its offsets. */
  | 'cut-is-consistent'
  /** The counts in the metadata are the offsets, what sinks wrote, and what they will commit. */
  | 'proof-holds'
  /** A restart goes on from the last completed checkpoint. */
  | 'completed-is-gone-on-from'
  /** An order to rescale that was taken holds, whoever runs the job. */
  | 'rescale-holds'
  | 'stale-completes-nothing'
  | 'commits-completed-only'
  | 'needed-is-kept'
  | 'nothing-stuck'
  /** An alignment with a timeout becomes unaligned when the time is over. */
  | 'alignment-ends-in-time'
  /** An assertion of the engine. */
  | 'invariants-hold'

export interface Violation {
  readonly checker: CheckerName
  readonly detail: string
}

export interface CheckersOptions {
  readonly scheduler: Scheduler
  readonly bank: Bank
  readonly jobId: string
  readonly mode: 'exactly-once' | 'at-least-once'
  readonly retained: number
  /** No balances are kept. */
  readonly slices: boolean
  readonly inAnyOrder: boolean
  /** Bookings of a transaction. */
  readonly sizeOf: (transaction: string) => number
}

/** One violation shows the fault; the many that follow hide it. */
const VIOLATIONS_MAX = 5

export class Checkers {
  readonly violations: Violation[] = []
  readonly #options: CheckersOptions
  readonly #valid = new Set<number>()
  /** Those that an attempt itself completed. */
  readonly #ordered = new Set<number>()
  /** Transactions that stand in a valid checkpoint. */
  readonly #committable = new Set<string>()
  /** What each attempt that ran went on from, by generation. */
  readonly #bases = new Map<number, GenerationBase>()
  /** The generation that wrote a checkpoint. */
  readonly #writers = new Map<number, number>()
  #newestTaken = 0
  #objects: ReadonlyMap<string, Buffer> = new Map()

  constructor(options: CheckersOptions) {
    this.#options = options
  }

  /** Where the checkpoints lie. */
  watch(objects: ReadonlyMap<string, Buffer>): void {
    this.#objects = objects
  }

  get completedCount(): number {
    return this.#valid.size
  }

  found(checker: CheckerName, detail: string): void {
    this.#options.scheduler.note(undefined, `VIOLATION ${checker}: ${detail}`)
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push({ checker, detail })
  }

  /** An object was written. */
  stored(key: string, bytes: Buffer): void {
    if (key.endsWith(METADATA_FILE)) this.#snapshotStored(key, bytes)
    if (!key.includes('/generations/')) return
    const record = readGeneration(bytes)
    this.#newestTaken = Math.max(this.#newestTaken, record?.generation ?? 0)
    if (record === undefined || record.base === null) return
    if (this.#bases.has(record.generation)) return
    this.#bases.set(record.generation, record.base)
    this.#goesOn(record.generation, record.base)
  }

  #snapshotStored(key: string, bytes: Buffer): void {
    const { checkpointId, generation } = readMetadata(bytes, { path: key, previous: undefined })
    this.#writers.set(checkpointId, generation)
    // Others are judged when they complete: half of one is none.
    if (key.includes('/savepoints/')) this.#checkCut(folderOf(key))
  }

  /** An attempt orders its sinks to commit. */
  completed(id: number, generation: number): void {
    // Ordered before it stood still, and a newer attempt went on from it: that is fine.
    if (this.#valid.has(id)) return
    for (const [other, base] of this.#bases) {
      // One that was overtaken itself may have settled on it unseen.
      if (other <= generation || this.#pastOf(base).has(id)) continue
      const detail = `generation ${generation} completes ${id} after ${other} went on without it`
      this.found('stale-completes-nothing', detail)
    }
    this.#valid.add(id)
    this.#ordered.add(id)
    this.#mayCommit(id)
  }

  /** An object was removed. */
  removed(key: string): void {
    const isSavepoint = key.includes('/savepoints/')
    if (isSavepoint && this.#objects.has(`${folderOf(key)}/${METADATA_FILE}`)) {
      this.found('needed-is-kept', `${key} is removed, and the savepoint is there`)
    }
    const id = checkpointIdOf(key)
    if (id === undefined) return
    const newer = [...this.#valid].filter(other => other > id)
    const isNewest = this.#valid.has(id) && !newer.some(other => this.#isStored(other))
    // What came before a savepoint that ended the job is no longer the job's past.
    const isPast = newer.some(other => this.#folderOf(other).includes('/savepoints/'))
    const isRetained = this.#ordered.has(id) && !isPast && newer.length < this.#options.retained
    if (isNewest || isRetained) this.found('needed-is-kept', `${key} is removed and needed`)
  }

  committed({ id, checkpointId }: Transaction): void {
    if (this.#committable.has(id)) return
    const detail = `${id} of ${checkpointId} is committed, and no completed checkpoint holds it`
    this.found('commits-completed-only', detail)
  }

  /** Everything is over. */
  finish(transactions: readonly Transaction[]): void {
    for (const { checker, detail } of checkOutput(transactions, this.#options)) {
      this.found(checker, detail)
    }
  }

  /** Whether no attempt took a newer generation. */
  isNewest(generation: number): boolean {
    return generation >= this.#newestTaken
  }

  #isStored(id: number): boolean {
    return this.#objects.has(`${this.#folderOf(id)}/${METADATA_FILE}`)
  }

  /** What completed may be a savepoint: the one that ended the job. */
  #folderOf(id: number): string {
    const { jobId } = this.#options
    const savepoint = snapshotFolder(jobId, 'savepoint', id)
    const isSavepoint = this.#objects.has(`${savepoint}/${METADATA_FILE}`)
    return isSavepoint ? savepoint : snapshotFolder(jobId, 'checkpoint', id)
  }

  /** What an attempt's state holds: what it went on from, and what that went on from. */
  #pastOf(base: GenerationBase): ReadonlySet<number> {
    const past = new Set([...base.history.map(({ id }) => id), restoredSavepoint(base)])
    const writer = this.#writers.get(base.history.at(-1)?.id ?? 0)
    const before = writer === undefined ? undefined : this.#bases.get(writer)
    if (before === undefined || before === base) return past
    return new Set([...past, ...this.#pastOf(before)])
  }

  #goesOn(generation: number, base: GenerationBase): void {
    const { history, restoredFrom } = base
    const newest = Math.max(0, ...this.#valid)
    // One that was overtaken before it settled is fenced before anything of it runs.
    if (!this.isNewest(generation)) return
    const restored = restoredSavepoint(base)
    if (newest > restored && !this.#pastOf(base).has(newest)) {
      const detail = `generation ${generation} goes on from ${restoredFrom}, not from ${newest}`
      this.found('completed-is-gone-on-from', detail)
    }
    for (const { id } of history) this.#valid.add(id)
    const last = history.at(-1)?.id ?? restored
    if (last === 0) return
    this.#valid.add(last)
    this.#mayCommit(last)
  }

  #mayCommit(id: number): void {
    for (const transaction of this.#checkCut(this.#folderOf(id))) this.#committable.add(transaction)
  }

  /** Gives what the sinks of the cut have prepared. */
  #checkCut(folder: string): readonly string[] {
    const { bank, mode, slices } = this.#options
    const id = folder.slice(folder.lastIndexOf('/') + 1)
    try {
      const cut = readStoredCut(this.#objects, bank, folder)
      this.#checkProof(id, cut)
      if (cut.doubled.length > 0) {
        this.found('cut-is-consistent', `${id} holds split ${cut.doubled.join(', ')} twice`)
      }
      if (mode === 'exactly-once' && !slices) this.#checkBalances(id, cut.offsets, cut.balances)
      return cut.transactions
    } catch (error) {
      this.found('completed-restores', `${id}: ${(error as Error).message}`)
      return []
    }
  }

  #checkProof(id: string, cut: StoredCut): void {
    const { mode, sizeOf } = this.#options
    const offsets = cut.offsets.join(' ')
    if (cut.proven.join(' ') !== offsets) {
      this.found('proof-holds', `${id}: ${offsets} read, ${cut.proven.join(' ')} proven`)
    }
    for (const transaction of cut.transactions) {
      const proven = cut.provenTransactions[transaction]
      if (proven === sizeOf(transaction)) continue
      this.found('proof-holds', `${id}: ${transaction} holds ${sizeOf(transaction)}, not ${proven}`)
    }
    // Both legs of each transfer have come to a sink, or are on their way.
    const expected = 2 * cut.offsets.reduce((sum, offset) => sum + offset, 0)
    const proven = cut.provenWritten + cut.underWay
    if (mode === 'exactly-once' && proven !== expected) {
      this.found('proof-holds', `${id}: ${expected} written or under way, ${proven} proven`)
    }
  }

  #checkBalances(id: string, offsets: readonly number[], balances: readonly number[]): void {
    const { bank } = this.#options
    const total = balances.reduce((sum, balance) => sum + balance, 0)
    const wanted = bank.accounts * INITIAL_BALANCE
    if (total !== wanted) {
      this.found('money-is-constant', `${id} holds ${total}, the bank has ${wanted}`)
    }
    const expected = balancesAt(bank, offsets).join(' ')
    if (expected !== balances.join(' ')) {
      this.found('cut-is-consistent', `${id} has ${balances.join(' ')} instead of ${expected}`)
    }
  }
}

/** The savepoint that was restored; 0 for none. */
function restoredSavepoint({ restoredFrom }: GenerationBase): number {
  return Number(/\/savepoint-(\d+)$/.exec(restoredFrom ?? '')?.[1] ?? 0)
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/'))
}
