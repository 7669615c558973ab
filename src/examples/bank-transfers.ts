/**
 * Bank transfers: every transfer takes from one account what it gives to another, so the sum over
 * all accounts never changes, not in the output and not in any checkpoint. `output=none` leaves the
 * balances in the state alone: where slots share no folder there is no place for a file sink.
 */
import {
  blackhole,
  datagen,
  fileSink,
  job,
  json,
  record,
  sequence,
  timestamps,
  uniformInt,
  valueState,
  watermarks,
  z,
} from 'weir'

const Transfer = record({
  id: z.int(),
  from: z.int32(),
  to: z.int32(),
  /** Cents. */
  amount: z.int32(),
  at: z.timestamp(),
})

/** One side of a transfer: `amount` is negative for the payer. */
const Entry = record({ transfer: z.int(), account: z.int32(), amount: z.int32() })

const Balance = record({
  account: z.int32(),
  transfer: z.int(),
  amount: z.int32(),
  balance: z.int(),
})

/** What every account begins with, in cents. It may be overdrawn. */
export const OPENING_BALANCE = 100_000

const state = { balance: valueState(z.int()) }

export default job('bank-transfers', env => {
  const accounts = env.args.int('accounts', 1000)
  /** Transfers a second; 0: as fast as possible. */
  const rate = env.args.int('rate', 0)
  const path = env.args.get('output', 'out/bank-transfers')
  env
    .from(
      datagen({
        type: Transfer,
        rows: env.args.int('transfers', 500_000),
        seed: env.args.int('seed', 1),
        ...(rate > 0 && { ratePerSecond: rate }),
        fields: {
          id: sequence(),
          from: uniformInt(0, accounts - 1),
          to: uniformInt(0, accounts - 1),
          amount: uniformInt(1, 10_000),
          at: timestamps({ start: '2026-01-01T00:00:00Z', every: 10 }),
        },
      }),
      watermarks.monotonous().timestamp(transfer => transfer.at),
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
        const balance = (context.state.balance.value() ?? OPENING_BALANCE) + amount
        context.state.balance.update(balance)
        out.collect({ account, transfer, amount, balance })
      },
    })
    .uid('balances')
    .to(
      path === 'none'
        ? blackhole()
        : fileSink({ path, format: json(Balance), onExisting: 'replace' }),
    )
    .uid('ledger')
})
