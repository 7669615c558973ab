/**
 * The input of a simulated job: transfers between accounts, in splits. Everything that must come
 * out follows from it.
 */
import type { SeededRandom } from '../../common/random.ts'

export const INITIAL_BALANCE = 100

export interface Transfer {
  readonly from: number
  readonly to: number
  readonly amount: number
}

/** One side of a transfer: what is keyed by account. */
export interface Leg {
  readonly split: number
  /** The transfer's offset in its split. */
  readonly seq: number
  readonly account: number
  readonly delta: number
}

/** A leg, and the account's balance after it. */
export interface Booking extends Leg {
  readonly balance: number
}

export interface Bank {
  readonly accounts: number
  readonly splits: readonly (readonly Transfer[])[]
}

export function makeBank(random: SeededRandom): Bank {
  const accounts = 3 + random.int(6)
  const splits = Array.from({ length: 2 + random.int(4) }, () =>
    Array.from({ length: 8 + random.int(20) }, (): Transfer => {
      const from = random.int(accounts)
      const to = (from + 1 + random.int(accounts - 1)) % accounts
      return { from, to, amount: 1 + random.int(9) }
    }),
  )
  return { accounts, splits }
}

export function legsOf({ splits }: Bank, split: number, seq: number): readonly Leg[] {
  const transfer = splits[split]?.[seq]
  if (transfer === undefined) return []
  const { from, to, amount } = transfer
  return [
    { split, seq, account: from, delta: -amount },
    { split, seq, account: to, delta: amount },
  ]
}

/** The balances after so many transfers of each split. */
export function balancesAt(bank: Bank, offsets: readonly number[]): readonly number[] {
  const balances = Array.from({ length: bank.accounts }, () => INITIAL_BALANCE)
  offsets.forEach((offset, split) => {
    for (let seq = 0; seq < offset; seq++) {
      for (const leg of legsOf(bank, split, seq)) {
        balances[leg.account] = (balances[leg.account] as number) + leg.delta
      }
    }
  })
  return balances
}
