/**
 * Money is neither made nor lost: not in the output, and not in any checkpoint. Each checkpoint is
 * read by a job of its own that restores it and asks every account for its balance.
 */
import { beforeAll, expect, test } from '@jest/globals'
import bankTransfers, { OPENING_BALANCE } from '../../src/examples/bank-transfers.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { checkpointsIn, standingsIn } from './bank-audit.ts'
import { rowsOf } from './output-folder.ts'

const ACCOUNTS = 500
const TRANSFERS = 60_000
const ALL_MONEY = ACCOUNTS * OPENING_BALANCE

interface Balance {
  readonly account: number
  readonly transfer: number
  readonly amount: number
  readonly balance: number
}

const store = new MemoryStore()
let rows: readonly Balance[] = []

beforeAll(async () => {
  rows = await rowsOf<Balance>(bankTransfers, {
    name: 'bank',
    args: { accounts: String(ACCOUNTS), transfers: String(TRANSFERS), rate: '60000' },
    parallelism: 2,
    checkpointEvery: '50ms',
    checkpoint: { retained: 1_000 },
    store,
  })
})

test('the output moves money, and neither makes nor loses any', () => {
  expect(rows).toHaveLength(2 * TRANSFERS)
  expect(rows.reduce((sum, row) => sum + row.amount, 0)).toBe(0)
  const moved = Map.groupBy(rows, row => row.account)
  for (const entries of moved.values()) {
    // Each balance is the one before plus the amount, in the order in which they were written.
    let balance = OPENING_BALANCE
    for (const entry of entries) {
      balance += entry.amount
      expect(entry.balance).toBe(balance)
    }
  }
})

test('the sum over all accounts is the same in every checkpoint', async () => {
  const checkpoints = await checkpointsIn(store)
  expect(checkpoints.length).toBeGreaterThan(5)
  const found = new Set<string>()
  for (const checkpoint of checkpoints) {
    const results = await standingsIn(store, checkpoint, ACCOUNTS)
    expect(results).toHaveLength(ACCOUNTS)
    const money = results.reduce((sum, { balance }) => sum + balance, 0)
    expect({ checkpoint, money }).toEqual({ checkpoint, money: ALL_MONEY })
    found.add(JSON.stringify(results.toSorted((a, b) => a.account - b.account)))
  }
  // They are snapshots of different moments, and not all of the beginning or the end.
  expect(found.size).toBeGreaterThan(5)
})
