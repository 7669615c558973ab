import { expect, test } from '@jest/globals'
import { cliErrors } from '../../src/cli/cli-errors.ts'
import { runJob, type StartJob } from '../../src/cli/run-job.ts'
import type { JobProgress } from '../../src/cluster/job-progress.ts'
import type { JobResult, LocalJob } from '../../src/cluster/local-job.ts'
import { cliTestIo, ExitedNow } from './cli-test-io.ts'

const progress: JobProgress = {
  name: 'a',
  status: 'running',
  elapsedMs: 1,
  recordsIn: 0,
  recordsOut: 0,
  recordsRejected: 0,
  stateSizeBytes: undefined,
  watermark: 0,
  checkpointsCompleted: 0,
  checkpointsFailed: 0,
  lastCheckpoint: undefined,
  restarts: 0,
  lastFailure: undefined,
  vertices: [],
}

/** A job that does what it is told, and remembers it. */
function fakeJob(): { job: LocalJob; calls: string[]; end: (result: Partial<JobResult>) => void } {
  const calls: string[] = []
  const { promise, resolve } = Promise.withResolvers<JobResult>()
  const end = (result: Partial<JobResult>): void =>
    resolve({
      outcome: 'finished',
      error: undefined,
      refused: false,
      restarts: 0,
      lastCheckpointPath: undefined,
      savepointPath: undefined,
      ...result,
    })
  const job: LocalJob = {
    done: promise,
    stop: () => {
      calls.push('stop')
      return promise
    },
    cancel: () => void calls.push('cancel'),
    savepoint: async () => '',
    rescale: async () => ({ begun: promise.then(() => {}) }),
    progress: () => progress,
  }
  return { job, calls, end }
}

test('a finished job is exit code 0 and one line', async () => {
  const io = cliTestIo()
  const { job, end } = fakeJob()
  const code = runJob(() => job, io)
  end({})
  expect(await code).toBe(0)
  expect(io.written).toEqual({ out: '', err: expect.stringMatching(/^a running after 1ms:.*\n$/) })
})

test('a failed job is exit code 1, with its error and where to go on from', async () => {
  const io = cliTestIo()
  const { job, end } = fakeJob()
  const code = runJob(() => job, io)
  const error = cliErrors.WEIR_COMMAND_FILE_UNREADABLE({ file: 'x', reason: 'gone' })
  end({ outcome: 'failed', error, lastCheckpointPath: 'default.a/chk-3' })
  expect(await code).toBe(1)
  expect(io.written.err).toMatch(/WEIR_COMMAND_FILE_UNREADABLE {2}cannot read x: gone\n {2}next: /)
  expect(io.written.err).toMatch(/--restore latest goes on from default\.a\/chk-3/)
})

test('a job that was refused before anything of it ran is exit code 2', async () => {
  const io = cliTestIo()
  const { job, end } = fakeJob()
  const code = runJob(() => job, io)
  const error = cliErrors.WEIR_COMMAND_FILE_UNREADABLE({ file: 'x', reason: 'gone' })
  end({ outcome: 'failed', error, refused: true })
  expect(await code).toBe(2)
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s stops gracefully with exit code %d', async (signal, wanted) => {
  const io = cliTestIo()
  const { job, calls, end } = fakeJob()
  const code = runJob(() => job, io)
  io.signal(signal)
  expect(calls).toEqual(['stop'])
  end({ outcome: 'stopped', lastCheckpointPath: 'p' })
  expect(await code).toBe(wanted)
  expect(io.written.err).toMatch(/stopping after a last checkpoint[\s\S]*stopped; --restore latest/)
})

test('the second Ctrl-C ends at once', async () => {
  const io = cliTestIo()
  const { job, end } = fakeJob()
  const code = runJob(() => job, io)
  io.signal('SIGINT')
  expect(() => io.signal('SIGINT')).toThrow(ExitedNow)
  end({ outcome: 'stopped' })
  await code
})

test('a bounded job that ends while it is being stopped has finished', async () => {
  const io = cliTestIo()
  const { job, end } = fakeJob()
  const code = runJob(() => job, io)
  io.signal('SIGINT')
  end({ outcome: 'finished' })
  expect(await code).toBe(0)
})

test('what the job has to say is written', async () => {
  const io = cliTestIo()
  const { job, end } = fakeJob()
  const start: StartJob = notify => {
    notify({ level: 'warn', text: 'restarting in 1s' })
    return job
  }
  const code = runJob(start, io)
  end({})
  await code
  expect(io.written.err).toMatch(/^restarting in 1s\n/)
})
