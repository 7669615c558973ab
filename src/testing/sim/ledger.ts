/**
 * The system behind the sink: transactions that are prepared with a checkpoint and become visible
 * when they are committed, each once.
 */
import type { Booking } from './bank.ts'

export interface Transaction {
  readonly id: string
  readonly checkpointId: number
  readonly bookings: readonly Booking[]
}

export class Ledger {
  readonly #prepared = new Map<string, Transaction>()
  /** In the order of the commits; a transaction that was committed twice stands here twice. */
  readonly committed: Transaction[] = []
  readonly #idempotent: boolean
  readonly #onCommit: (transaction: Transaction) => void
  #count = 0

  constructor(idempotent: boolean, onCommit: (transaction: Transaction) => void) {
    this.#idempotent = idempotent
    this.#onCommit = onCommit
  }

  prepare(checkpointId: number, bookings: readonly Booking[]): string {
    this.#count++
    const id = `txn-${this.#count}`
    this.#prepared.set(id, { id, checkpointId, bookings })
    return id
  }

  /** How many bookings a transaction holds. */
  sizeOf(id: string): number {
    return this.#prepared.get(id)?.bookings.length ?? 0
  }

  /** Says whether it was committed before. */
  commit(id: string): boolean {
    const transaction = this.#prepared.get(id)
    if (transaction === undefined) return true
    const again = this.committed.includes(transaction)
    if (again && this.#idempotent) return true
    this.committed.push(transaction)
    this.#onCommit(transaction)
    return again
  }
}
