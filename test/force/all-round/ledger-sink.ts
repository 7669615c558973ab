/**
 * A sink that keeps books instead of rows. Of each part of each way it notes, in constant space, what
 * a transaction holds: how many rows, from which ordinal to which, the sum of their hashes, and how
 * often one came out of order. Committed notes must tile the ordinals without gap and overlap:
 * a lost, doubled or reordered row shows, and so does a transaction that was committed twice or not
 * at all. `checkLedger` adds them up.
 */

import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CommitRequest,
  type Committer,
  type Infer,
  type JsonValue,
  record,
  type Sink,
  type SinkContext,
  type SinkWriter,
  z,
} from 'weir'

/** One record at the end of one way through the job. */
export const Row = record({
  path: z.string(),
  /** Within a part, ordinals count up from 0. */
  part: z.string(),
  ordinal: z.int32(),
  hash: z.int(),
})
export type Row = Infer<typeof Row>

/** What a transaction, or all of them, hold of one part. */
export interface Note {
  readonly path: string
  readonly part: string
  count: number
  first: number
  last: number
  /** Of hashes; exact below 2^21 rows. */
  sum: number
  /** Rows that did not follow the one before. */
  disorder: number
}

interface Totals {
  count: number
  sum: number
}

/** What is committed. */
export type Transaction = {
  readonly id: string
  readonly subtask: number
  readonly notes: readonly (readonly [string, string, number, number, number, number, number])[]
}

export interface CommittedTransaction {
  readonly checkpointId: number
  readonly subtask: number
  readonly notes: readonly Note[]
}

export interface LedgerOptions {
  readonly folder: string
  /** Rows a second, of all subtasks together; 0: as many as come. */
  readonly rate: number
}

export function ledgerSink(options: LedgerOptions): Sink<Row, Transaction> {
  return {
    name: 'ledger',
    delivery: 'exactly-once',
    createWriter: (context, restored) => new LedgerWriter({ context, restored, options }),
    createCommitter: () => new LedgerCommitter(options.folder),
  }
}

/** What was committed so far. */
export function readLedger(folder: string): readonly CommittedTransaction[] {
  return readdirSync(folder)
    .filter(name => name.startsWith('tx-'))
    .map(name => {
      const text = readFileSync(join(folder, name), 'utf8')
      const { checkpointId, subtask, notes } = JSON.parse(text) as Transaction & {
        checkpointId: number
      }
      return {
        checkpointId,
        subtask,
        notes: notes.map(([path, part, count, first, last, sum, disorder]) => {
          return { path, part, count, first, last, sum, disorder }
        }),
      }
    })
}

interface WriterParts {
  readonly context: SinkContext
  readonly restored: readonly JsonValue[]
  readonly options: LedgerOptions
}

/** The way under which writers say at the end how much they wrote in their lives. */
export const LIFETIME = 'lifetime'

class LedgerWriter implements SinkWriter<Row, Transaction> {
  readonly #context: SinkContext
  readonly #perMs: number
  #notes = new Map<string, Note>()
  /** Also of earlier writers, whose state this one was given. */
  #lifetime: Totals
  #allowance = 0
  #countedMs: number
  blocked = false

  constructor({ context, restored, options }: WriterParts) {
    this.#context = context
    this.#perMs = options.rate / 1_000 / context.runtime.parallelism
    const earlier = restored as unknown as readonly Totals[]
    this.#lifetime = {
      count: earlier.reduce((sum, one) => sum + one.count, 0),
      sum: earlier.reduce((sum, one) => sum + one.sum, 0),
    }
    this.#countedMs = context.clock.monotonic()
  }

  write({ path, part, ordinal, hash }: Row): void {
    this.#lifetime.count++
    this.#lifetime.sum += hash
    const name = `${path}/${part}`
    const note = this.#notes.get(name)
    if (note === undefined) {
      const first = { path, part, count: 1, first: ordinal, last: ordinal, sum: hash, disorder: 0 }
      this.#notes.set(name, first)
    } else {
      if (ordinal !== note.last + 1) note.disorder++
      note.count++
      note.first = Math.min(note.first, ordinal)
      note.last = Math.max(note.last, ordinal)
      note.sum += hash
    }
    if (this.#perMs > 0) this.#spend()
  }

  flush(endOfInput: boolean): void {
    if (!endOfInput || this.#lifetime.count === 0) return
    const part = String(this.#context.runtime.subtaskIndex)
    this.#notes.set(LIFETIME, {
      path: LIFETIME,
      part,
      first: 0,
      last: 0,
      disorder: 0,
      ...this.#lifetime,
    })
    this.#lifetime = { count: 0, sum: 0 }
  }

  prepareCommit(): readonly Transaction[] {
    if (this.#notes.size === 0) return []
    const notes = [...this.#notes.values()].map(
      ({ path, part, count, first, last, sum, disorder }) =>
        [path, part, count, first, last, sum, disorder] as const,
    )
    this.#notes = new Map()
    return [{ id: randomUUID(), subtask: this.#context.runtime.subtaskIndex, notes }]
  }

  snapshotState(): readonly JsonValue[] {
    return [{ ...this.#lifetime }]
  }

  close(): void {}

  #spend(): void {
    this.#allowance--
    if (this.#allowance >= 0) return
    const { clock, wakeUp } = this.#context
    const nowMs = clock.monotonic()
    // A tenth of a second of rows at most at once: a slow service, not one with pauses.
    const earned = (nowMs - this.#countedMs) * this.#perMs
    this.#allowance = Math.min(this.#allowance + earned, this.#perMs * 100 + 1)
    this.#countedMs = nowMs
    if (this.#allowance >= 0) return
    this.blocked = true
    clock.schedule(Math.ceil(-this.#allowance / this.#perMs), () => {
      this.blocked = false
      wakeUp()
    })
  }
}

class LedgerCommitter implements Committer<Transaction> {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
  }

  /** A transaction has a file of its own, written whole: a second commit changes nothing. */
  commit(requests: readonly CommitRequest<Transaction>[]): void {
    for (const { committable, checkpointId } of requests) {
      const temporary = join(this.#folder, `.${committable.id}-${randomUUID()}`)
      writeFileSync(temporary, JSON.stringify({ checkpointId, ...committable }))
      renameSync(temporary, join(this.#folder, `tx-${committable.id}.json`))
      rmSync(temporary, { force: true })
    }
  }

  close(): void {}
}
