/** Numbered rows that no edge brings together: each subtask reads, marks and writes its own. */
import { datagen, fileSink, job, json, record, sequence, z } from 'weir'

const Row = record({ id: z.int() })
const Marked = record({ id: z.int(), even: z.boolean() })

export default job('slices', env => {
  const { args } = env
  const rows = args.int('rows', 30_000)
  const ratePerSecond = args.int('rate', 3_000)
  env
    .from(datagen({ type: Row, rows, ratePerSecond, fields: { id: sequence() } }))
    .uid('rows')
    .map(({ id }) => ({ id, even: id % 2 === 0 }))
    .returns(Marked)
    .startNewChain()
    .to(fileSink({ path: args.get('output', 'out'), format: json(Marked) }))
    .uid('sink')
})
