/** The job of the tests of bad input: it does what its arguments say. */
import {
  type DeadLetter,
  datagen,
  fileSink,
  fileSource,
  type Infer,
  job,
  json,
  oneOf,
  outputTag,
  record,
  type Source,
  sequence,
  uniformInt,
  valueState,
  z,
} from 'weir'

const Order = record({ id: z.int(), customer: z.string(), cents: z.int32() })
const Total = record({ id: z.int(), customer: z.string(), cents: z.int() })
const Letter = record({
  record: z.object({ id: z.int() }),
  source: z.string().optional(),
  split: z.string().optional(),
  offset: z.string().optional(),
})

/** What a customer's orders come to, as one version of the job or another stores it. */
const versions = {
  first: record({ cents: z.int(), orders: z.int32() }),
  wider: record({ cents: z.int(), orders: z.int32(), note: z.string().optional() }),
  other: record({ cents: z.string(), orders: z.int32() }),
}
type Standing = Infer<typeof versions.first>

/** The types do not hold where a cast, or JavaScript, went around them. */
const aLot = 'a lot' as unknown as number

/** Of a folder that is long to list, say: the enumerator runs in the jobmanager. */
function slowToEnumerate<T>(source: Source<T>, ms: number): Source<T> {
  return {
    name: source.name,
    boundedness: source.boundedness,
    output: source.output,
    createReader: context => source.createReader(context),
    createEnumerator(context, state) {
      keepThread(ms)
      return source.createEnumerator(context, state)
    },
  }
}

/** As a large computation or a call that blocks does. */
function keepThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

export default job('orders', env => {
  const { args } = env
  const input = args.get('input')
  const made = datagen({
    type: Order,
    rows: args.int('rows', 3_000),
    ratePerSecond: args.int('rate', 1_000_000),
    fields: { id: sequence(), customer: oneOf(['ada', 'bob', 'cyd']), cents: uniformInt(1, 999) },
  })
  const source: Source<Infer<typeof Order>> =
    input === undefined ? made : fileSource({ path: input, format: json(Order) })
  const enumeratesMs = args.int('enumeratesMs', 0)
  const failsAt = args.int('failsAt', -1)
  const keepsThreadAt = args.int('keepsThreadAt', -1)
  const keepsThreadMs = args.int('keepsThreadMs', 0)
  const refusesAt = args.int('refusesAt', -1)
  const letters = args.get('letters')
  const spoilsStateAt = args.int('spoilsStateAt', -1)
  const spoilsOutputAt = args.int('spoilsOutputAt', -1)
  const version = args.oneOf('version', ['first', 'wider', 'other'], 'first')
  const totals = env
    .from(enumeratesMs === 0 ? source : slowToEnumerate(source, enumeratesMs))
    .uid('orders')
    .map(order => {
      if (order.id === keepsThreadAt) keepThread(keepsThreadMs)
      if (order.id === failsAt) throw new Error(`order ${order.id} has no price`)
      return order
    })
    .returns(Order)
    .name('check-prices')
    .keyBy(order => order.customer)
    .process({
      output: Total,
      state: { standing: valueState(versions[version] as typeof versions.first) },
      processElement({ id, customer, cents }, context, out) {
        if (id === refusesAt) throw new Error(`order ${id} is refused`)
        const standing: Standing = context.state.standing.value() ?? { cents: 0, orders: 0 }
        standing.cents += cents
        standing.orders += 1
        const total = { id, customer, cents: standing.cents }
        if (id === spoilsStateAt) standing.orders = aLot
        if (id === spoilsOutputAt) total.cents = aLot
        context.state.standing.update(standing)
        out.collect(total)
      },
    })
    .name('totals')
  if (args.boolean('uid', true)) totals.uid('totals')
  if (letters !== undefined) {
    const tag = outputTag<DeadLetter<Infer<typeof Order>>>('refused')
    totals
      .onError({ kind: 'dead-letter', tag })
      .getSideOutput(tag)
      .map(letter => letter, Letter)
      .to(fileSink({ path: letters, format: json(Letter) }))
      .uid('letters')
  }
  totals.to(fileSink({ path: args.get('output', 'out'), format: json(Total) })).uid('sink')
})
