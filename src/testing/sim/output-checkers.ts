/** Holds what sinks committed against what the input alone says must come out. */
import { type Bank, type Booking, INITIAL_BALANCE, legsOf } from './bank.ts'
import type { Transaction } from './ledger.ts'

export interface OutputViolation {
  readonly checker:
    | 'no-record-lost'
    | 'no-record-doubled'
    | 'no-record-reordered'
    | 'balances-follow'
  readonly detail: string
}

/** A key path: what one split says of one account comes out in its order. */
const pathOf = ({ split, account }: Pick<Booking, 'split' | 'account'>): string =>
  `split ${split}, account ${account}`

export interface OutputRules {
  readonly bank: Bank
  readonly mode: 'exactly-once' | 'at-least-once'
  /** Bookings have no balances. */
  readonly slices: boolean
  /** In flight without a key: at another parallelism it goes to the slots in turn, in no order. */
  readonly inAnyOrder: boolean
}

export function checkOutput(
  transactions: readonly Transaction[],
  { bank, mode, slices, inAnyOrder }: OutputRules,
): readonly OutputViolation[] {
  // Subtasks commit side by side: what counts is the order of the checkpoints.
  const bookings = transactions
    .toSorted((a, b) => a.checkpointId - b.checkpointId)
    .flatMap(transaction => transaction.bookings)
  const found = Map.groupBy(bookings, pathOf)
  const violations: OutputViolation[] = []
  for (const [path, wanted] of wantedPaths(bank)) {
    const seqs = (found.get(path) ?? []).map(booking => booking.seq)
    const lost = wanted.filter(seq => !seqs.includes(seq))
    if (lost.length > 0) {
      violations.push({ checker: 'no-record-lost', detail: `${path}: ${lost.join(' ')}` })
    }
    if (mode === 'at-least-once') continue
    const doubled = seqs.filter((seq, index) => seqs.indexOf(seq) !== index)
    if (doubled.length > 0) {
      violations.push({ checker: 'no-record-doubled', detail: `${path}: ${doubled.join(' ')}` })
    } else if (!inAnyOrder && !isSorted(seqs)) {
      violations.push({ checker: 'no-record-reordered', detail: `${path}: ${seqs.join(' ')}` })
    }
  }
  if (mode === 'at-least-once' || slices) return violations
  return [...violations, ...checkBalances(bookings)]
}

function isSorted(seqs: readonly number[]): boolean {
  return seqs.every((seq, index) => index === 0 || seq > (seqs[index - 1] as number))
}

function wantedPaths(bank: Bank): ReadonlyMap<string, readonly number[]> {
  const paths = new Map<string, number[]>()
  bank.splits.forEach((transfers, split) => {
    transfers.forEach((_, seq) => {
      for (const leg of legsOf(bank, split, seq)) {
        const path = pathOf(leg)
        const seqs = paths.get(path) ?? []
        paths.set(path, seqs)
        seqs.push(seq)
      }
    })
  })
  return paths
}

function checkBalances(bookings: readonly Booking[]): readonly OutputViolation[] {
  const balances = new Map<number, number>()
  for (const { account, delta, balance, split, seq } of bookings) {
    const before = balances.get(account) ?? INITIAL_BALANCE
    if (before + delta !== balance) {
      const booked = `${before} ${delta < 0 ? '-' : '+'} ${Math.abs(delta)} = ${balance}`
      const detail = `account ${account}, split ${split}, transfer ${seq}: ${booked}`
      return [{ checker: 'balances-follow', detail }]
    }
    balances.set(account, balance)
  }
  return []
}
