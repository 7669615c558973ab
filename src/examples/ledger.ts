/** Transfers from a topic of Kafka become the balances of accounts in another one, exactly once. */
import {
  datagen,
  job,
  json,
  kafkaSink,
  kafkaSource,
  record,
  sequence,
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
})

/** One side of a transfer: `amount` is negative for the payer. */
const Entry = record({ transfer: z.int(), account: z.int32(), amount: z.int32() })

const Balance = record({
  account: z.int32(),
  transfer: z.int(),
  amount: z.int32(),
  balance: z.int(),
})

const state = { balance: valueState(z.int()) }

export default job('ledger', env => {
  const brokers = env.args.get('brokers', '127.0.0.1:9092')
  const input = env.args.get('input', 'transfers')
  /** So many transfers are made up and written into the input. */
  const feed = env.args.int('feed', 0)
  const accounts = env.args.int('accounts', 1000)
  if (feed > 0) {
    env
      .from(
        datagen({
          type: Transfer,
          rows: feed,
          seed: env.args.int('seed', 1),
          ratePerSecond: env.args.int('rate', 20_000),
          fields: {
            id: sequence(),
            from: uniformInt(0, accounts - 1),
            to: uniformInt(0, accounts - 1),
            amount: uniformInt(1, 10_000),
          },
        }),
      )
      .uid('made-up')
      .to(kafkaSink({ brokers, topic: input, value: json(Transfer) }))
      .uid('feed')
  }
  /** `latest`: the job ends when all that is there now is read. */
  const isBounded = env.args.get('until', 'never') === 'latest'
  env
    .from(
      kafkaSource({
        brokers,
        topics: input,
        value: json(Transfer),
        ...(isBounded && { stop: 'latest' }),
      }),
      watermarks.none(),
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
        const balance = (context.state.balance.value() ?? 0) + amount
        context.state.balance.update(balance)
        out.collect({ account, transfer, amount, balance })
      },
    })
    .uid('balances')
    .to(
      kafkaSink({
        brokers,
        topic: env.args.get('output', 'ledger'),
        value: json(Balance),
        // The entries of one account stay in order.
        key: ({ account }) => String(account),
      }),
    )
    .uid('ledger')
})
