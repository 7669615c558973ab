/**
 * Asks every account of `bank-transfers` for its balance in a checkpoint: a job of its own restores
 * it.
 */
import { job, record, sequence, valueState, z } from 'weir'
import { datagen } from '../../src/connectors/datagen/datagen-source.ts'
import { OPENING_BALANCE } from '../../src/examples/bank-transfers.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'
import { collectSink } from '../../src/testing/collect-sink.ts'
import { runJob } from '../../src/testing/run-job.ts'

export interface Standing {
  readonly account: number
  readonly balance: number
  readonly touched: boolean
}

const Account = record({ account: z.int32() })
const StandingRecord = record({ account: z.int32(), balance: z.int(), touched: z.boolean() })
const standings = collectSink<Standing>()

/** Stands in for the sample: the same operator `balances` with the same state, asked for it all. */
const audit = job('audit', env => {
  env
    .from(
      datagen({
        type: Account,
        rows: env.args.int('accounts', 1000),
        fields: { account: sequence() },
      }),
    )
    .uid('accounts')
    .keyBy(({ account }) => account)
    .process({
      output: StandingRecord,
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

/** The folders of completed checkpoints of a job in a store. */
export async function checkpointsIn(store: ObjectStore): Promise<readonly string[]> {
  const objects = await store.list('')
  return objects
    .map(({ key }) => key)
    .filter(key => /\/chk-\d+\/_metadata$/.test(key) && !key.startsWith('default.audit/'))
    .map(key => key.slice(0, -'/_metadata'.length))
}

/** What each account has in this checkpoint. */
export async function standingsIn(
  store: ObjectStore,
  checkpoint: string,
  accounts: number,
): Promise<readonly Standing[]> {
  standings.clear()
  await runJob(audit, {
    name: 'audit',
    args: { accounts: String(accounts) },
    store,
    restore: `${store.location}/${checkpoint}`,
    fromJob: checkpoint.slice(0, checkpoint.indexOf('/')),
    dropState: ['transfers', 'ledger'],
  })
  const found = [...standings.results]
  standings.clear()
  return found
}
