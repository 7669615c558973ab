/** Sources of one group in several slots wait for each other, by messages, and all come to an end. */
import { expect, test } from '@jest/globals'
import { job } from '../../src/api/job.ts'
import type { Source } from '../../src/api/source.ts'
import { type NumberedSplit, numberedSource } from '../../src/connectors/numbered-source.ts'
import { collectSink } from '../../src/testing/collect-sink.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { startJob } from '../../src/testing/run-job.ts'

const RECORDS = 40_000

/** The reader of subtask 0 gives nothing before the gate is opened. */
function gatedSource(gate: { isOpen: boolean; open: () => void }): Source<number, NumberedSplit> {
  const numbered = numberedSource<number>({
    name: 'gated',
    type: undefined,
    count: RECORDS,
    makeRecordAt: () => n => n,
  })
  return {
    ...numbered,
    createReader: context => {
      const reader = numbered.createReader(context)
      if (context.runtime.subtaskIndex !== 0) return reader
      gate.open = () => {
        gate.isOpen = true
        context.wakeUp()
      }
      const poll = reader.poll.bind(reader)
      reader.poll = output => (gate.isOpen ? poll(output) : 'nothing')
      return reader
    },
  }
}

test.each([2, 3])('at parallelism %i', async parallelism => {
  const gate = { isOpen: false, open: () => {} }
  const sink = collectSink<number>()
  const clock = new ManualClock(1_000)
  const made = job(env =>
    env
      .from(gatedSource(gate), w =>
        w
          .monotonous()
          .timestamp(n => n)
          .idleness('0s')
          .aligned('g', '2s'),
      )
      .uid('numbers')
      .to(sink)
      .uid('out'),
  )
  const running = startJob(made, { clock, parallelism })
  const pass = async (): Promise<void> => {
    clock.advance(100)
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
  }
  for (let round = 0; round < 30; round++) await pass()
  const held = sink.written.length
  // Not a poll more than what was under way when the others were seen to stand still.
  expect(held).toBeLessThan(RECORDS / 4)
  for (let round = 0; round < 30; round++) await pass()
  expect(sink.written).toHaveLength(held)
  gate.open()
  let isOver = false
  void running.done.then(() => {
    isOver = true
  })
  while (!isOver) await pass()
  expect((await running.done).outcome).toBe('finished')
  expect(sink.results).toHaveLength(RECORDS)
})
