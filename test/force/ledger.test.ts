/**
 * From Kafka to Kafka with checkpoints on S3, by force: whatever dies, wakes up late or fails, at
 * whichever step of the two-phase commit, readers of committed records see the right ones. A slice
 * here; 60 runs with `./weir test --long`, which end with their table.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { TestTopics } from '../connectors/kafka/test-topics.ts'
import { TestBuckets } from '../storage/s3/test-buckets.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import {
  dailySlice,
  type LedgerCell,
  type LedgerResult,
  nameOf,
  runLedgerCell,
  wholeMatrix,
} from './ledger/ledger-matrix.ts'
import { OwnBroker } from './ledger/own-broker.ts'

const seed = Number(process.env.WEIR_TEST_SEED ?? 1)
const isLong = process.env.WEIR_TEST_LONG === '1'
/** To repeat one run. */
const only = process.env.WEIR_FORCE_CELL

const all = isLong || only !== undefined ? wholeMatrix(seed) : dailySlice(seed)
const wanted = all.filter(cell => only === undefined || nameOf(cell).startsWith(only))
const results = new Map<LedgerCell, LedgerResult>()

await describeWithPart('the ledger by force', ['kafka', 's3'], environment => {
  let broker: OwnBroker
  let topics: TestTopics
  let bucket = ''

  beforeAll(async () => {
    broker = await OwnBroker.start(process.env.WEIR_TESTBED_SESSION ?? '')
    topics = new TestTopics(broker.address)
    const buckets = new TestBuckets(environment)
    bucket = await buckets.make()
    buckets.close()
  })

  afterAll(async () => {
    await topics.close()
    await broker.stop()
    if (results.size > 1) process.stdout.write(`${tableOf(results)}\n`)
  })

  test.each(wanted.map(cell => [nameOf(cell), cell] as const))(
    '%s',
    async (name, cell) => {
      const result = await runLedgerCell(cell, { broker, topics, environment, bucket })
      results.set(cell, result)
      if (isLong) process.stdout.write(`${lineOf(cell, result)}\n`)
      if (result.wrong.length > 0) {
        process.stdout.write(
          `${name} left ${result.folder}\n  ${result.wrong.slice(0, 5).join('\n  ')}\n  again: ` +
            `WEIR_TEST_SEED=${cell.seed} WEIR_FORCE_CELL=${name} ./weir test force/ledger\n`,
        )
      }
      expect(result.wrong.slice(0, 20)).toEqual([])
    },
    240_000,
  )
})

function lineOf(cell: LedgerCell, { wrong, strikes, restarts, seconds }: LedgerResult): string {
  const outcome = wrong.length === 0 ? 'exact' : 'WRONG'
  const times = `${strikes} strikes, ${restarts} restarts, ${seconds.toFixed(1)} s`
  return `  ${nameOf(cell).padEnd(26)} ${outcome}  ${times.padEnd(36)}  ${cell.fault.does}`
}

function tableOf(runs: ReadonlyMap<LedgerCell, LedgerResult>): string {
  const lines = [...runs].map(([cell, result]) => lineOf(cell, result))
  const exact = [...runs.values()].filter(({ wrong }) => wrong.length === 0).length
  return ['', `the ledger by force: ${exact} of ${runs.size} exact`, ...lines].join('\n')
}
