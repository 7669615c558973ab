/**
 * Bank transfers that can be told to fail: `fault=throw` cannot add, `fault=stall` adds once a
 * second, so that no barrier comes through.
 */
import {
  blackhole,
  datagen,
  fileSink,
  job,
  json,
  record,
  sequence,
  uniformInt,
  valueState,
  z,
} from 'weir'

const OPENING_BALANCE = 100_000

const Transfer = record({ id: z.int(), from: z.int32(), to: z.int32(), amount: z.int32() })
const Entry = record({ transfer: z.int(), account: z.int32(), amount: z.int32() })
const Balance = record({
  account: z.int32(),
  transfer: z.int(),
  amount: z.int32(),
  balance: z.int(),
})

const state = { balance: valueState(z.int()) }

export default job('bank', env => {
  const accounts = env.args.int('accounts', 1000)
  const rate = env.args.int('rate', 0)
  const fault = env.args.get('fault', 'none')
  const path = env.args.get('output', 'none')
  const pause = new Int32Array(new SharedArrayBuffer(4))
  env
    .from(
      datagen({
        type: Transfer,
        rows: env.args.int('transfers', 100_000),
        seed: 7,
        ...(rate > 0 && { ratePerSecond: rate }),
        fields: {
          id: sequence(),
          from: uniformInt(0, accounts - 1),
          to: uniformInt(0, accounts - 1),
          amount: uniformInt(1, 10_000),
        },
      }),
    )
    .uid('transfers')
    .flatMap(({ id, from, to, amount }) => [
      { transfer: id, account: from, amount: -amount },
      { transfer: id, account: to, amount },
    ])
    .returns(Entry)
    .keyBy(entry => entry.account)
    .process({
      output: Balance,
      state,
      processElement({ transfer, account, amount }, context, out) {
        if (fault === 'throw') throw new Error('this version cannot add')
        if (fault === 'stall') Atomics.wait(pause, 0, 0, 1_000)
        const balance = (context.state.balance.value() ?? OPENING_BALANCE) + amount
        context.state.balance.update(balance)
        out.collect({ account, transfer, amount, balance })
      },
    })
    .uid('balances')
    .to(path === 'none' ? blackhole() : fileSink({ path, format: json(Balance) }))
    .uid('ledger')
})
