import { consoleSink, datagen, job, sequence } from 'weir'

export default job('helm-test', env => {
  env
    .from(datagen({ rows: 1000, fields: { n: sequence() } }))
    .uid('numbers')
    .map(({ n }) => n * 2)
    .filter(n => n % 500 === 0)
    .to(consoleSink())
    .uid('printed')
})
