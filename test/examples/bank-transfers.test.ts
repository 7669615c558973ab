/**
 * Money is neither made nor lost: not in the output, and not in any checkpoint. Each checkpoint is
 * read by a job of its own that restores it and asks every account for its balance.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { job, record, sequence, valueState, z } from 'weir'
import { datagen } from '../../src/connectors/datagen/datagen-source.ts'
import bankTransfers, { OPENING_BALANCE } from '../../src/examples/bank-transfers.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { collectSink } from '../../src/testing/collect-sink.ts'
import { runJob } from '../../src/testing/run-job.ts'
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

const Account = record({ account: z.int32() })
const Standing = record({ account: z.int32(), balance: z.int(), touched: z.boolean() })
const standings = collectSink<{ account: number; balance: number; touched: boolean }>()

/** Stands in for the sample: the same operator `balances` with the same state, asked for it all. */
const audit = job('audit', env => {
  env
    .from(datagen({ type: Account, rows: ACCOUNTS, fields: { account: sequence() } }))
    .uid('accounts')
    .keyBy(({ account }) => account)
    .process({
      output: Standing,
      state: { balance: valueState(z.int()) },
      processElement({ account }, context, out) {
        const balance = context.state.balance.value()
        out.collect({
          account,
          balance: balance ?? OPENING_BALANCE,
          touched: balance !== undefined,
        })
      },
    })
    .uid('balances')
    .to(standings)
    .uid('standings')
})

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

afterAll(() => standings.clear())

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
  const objects = await store.list('')
  const checkpoints = objects
    .map(({ key }) => key)
    .filter(key => key.endsWith('/_metadata'))
    .map(key => key.slice(0, -'/_metadata'.length))
  expect(checkpoints.length).toBeGreaterThan(5)
  const found = new Set<string>()
  for (const checkpoint of checkpoints) {
    standings.clear()
    await runJob(audit, {
      name: 'audit',
      store,
      restore: `${store.location}/${checkpoint}`,
      dropState: ['transfers', 'ledger'],
    })
    const { results } = standings
    expect(results).toHaveLength(ACCOUNTS)
    const money = results.reduce((sum, { balance }) => sum + balance, 0)
    expect({ checkpoint, money }).toEqual({ checkpoint, money: ALL_MONEY })
    found.add(JSON.stringify(results.toSorted((a, b) => a.account - b.account)))
  }
  // They are snapshots of different moments, and not all of the beginning or the end.
  expect(found.size).toBeGreaterThan(5)
})
