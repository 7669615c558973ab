import { describe, expect, test } from '@jest/globals'
import { RunSummary } from '../../src/cli/run-summary.ts'
import type { JobProgress } from '../../src/cluster/job-progress.ts'
import { cliTestIo } from './cli-test-io.ts'

function progress(changes: Partial<JobProgress> = {}): JobProgress {
  return {
    name: 'flights',
    status: 'running',
    elapsedMs: 2_000,
    recordsIn: 1_000_000,
    recordsOut: 250_000,
    recordsRejected: 0,
    stateSizeBytes: 12_300_000,
    watermark: Date.UTC(2001, 0, 3, 13),
    checkpointsCompleted: 2,
    checkpointsFailed: 0,
    lastCheckpoint: { id: 2, durationMs: 12, sizeBytes: 1_250_000 },
    restarts: 0,
    lastFailure: undefined,
    vertices: [
      {
        name: 'flights -> window',
        parallelism: 1,
        recordsIn: 1_000_000,
        recordsOut: 250_000,
        busyMs: 870,
        idleMs: 100,
        backpressuredMs: 30,
        watermark: 0,
        subtasks: [],
      },
    ],
    ...changes,
  }
}

describe('where a person looks', () => {
  test('draws a block and redraws it in place', () => {
    const io = cliTestIo({ isTty: true })
    const summary = new RunSummary(io.err)
    summary.update(progress())
    summary.update(progress({ elapsedMs: 4_000, recordsIn: 2_000_000 }))
    const [, second = ''] = io.written.err.split('\u001b[5A\u001b[J')
    expect(io.written.err.startsWith('\u001b')).toBe(false)
    expect(second.split('\n')).toEqual([
      'flights  running  4s',
      '  in       2,000,000    500 k/s',
      '  out        250,000        0/s',
      '  watermark 2001-01-03T13:00:00Z   checkpoints 2  last 12ms, 1.25 MB  state 12…',
      '  flights -> window  busy  87%  1,000,000 -> 250,000  backpressured 3%',
      '',
    ])
  })

  test('a notice stays above the block', () => {
    const io = cliTestIo({ isTty: true })
    const summary = new RunSummary(io.err)
    summary.update(progress())
    summary.note('restarting')
    summary.update(progress())
    expect(io.written.err).toContain('\u001b[5A\u001b[Jrestarting\nflights  running')
  })

  test('more vertices than fit are counted', () => {
    const io = cliTestIo({ isTty: true })
    const [vertex] = progress().vertices
    const vertices = Array.from({ length: 15 }, () => vertex as JobProgress['vertices'][number])
    new RunSummary(io.err).update(progress({ vertices }))
    expect(io.written.err).toMatch(/and 3 more\n$/)
  })
})

test('elsewhere a status is one plain line', () => {
  const io = cliTestIo()
  new RunSummary(io.err).update(progress({ restarts: 1, checkpointsFailed: 2 }))
  expect(io.written.err).toBe(
    'flights running 2s  in 1,000,000 (500 k/s)  out 250,000 (125 k/s)  watermark 2001-01-03T13:00:00Z' +
      '  checkpoints 2  last 12ms, 1.25 MB  2 failed  state 12.3 MB  restarts 1\n',
  )
})

test.each([
  [Number.NEGATIVE_INFINITY, 'none yet'],
  [Number.POSITIVE_INFINITY, 'end of input'],
  [9e15, '9000000000000000'],
])('a watermark of %d is shown as %s', (watermark, text) => {
  const io = cliTestIo()
  new RunSummary(io.err).update(progress({ watermark }))
  expect(io.written.err).toContain(`watermark ${text}`)
})

test('the end is one line that tells what went in and out', () => {
  const io = cliTestIo()
  new RunSummary(io.err).end(progress({ status: 'finished', recordsRejected: 3 }))
  expect(io.written.err).toBe(
    'flights finished after 2s: 1,000,000 records in, 250,000 out, 500 k/s, 2 checkpoints, 3 rejected\n',
  )
})
