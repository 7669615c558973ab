import { expect, test } from '@jest/globals'
import type { CommitRequest } from '../../src/api/sink.ts'
import type { JsonValue } from '../../src/api/source.ts'
import { runtimeErrors } from '../../src/runtime/runtime-errors.ts'
import { COMMIT_TRIES_MAX, SinkCommitter } from '../../src/runtime/sink-committer.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

function committerOf(answer: (request: CommitRequest<JsonValue>) => void = () => {}) {
  const clock = new ManualClock()
  const calls: string[][] = []
  const committer = new SinkCommitter({
    sinkName: 'out',
    clock,
    committer: {
      commit(requests) {
        calls.push(requests.map(request => `${request.committable as string}#${request.retries}`))
        requests.forEach(answer)
      },
      close: () => {},
    },
  })
  return { clock, calls, committer }
}

/** Lets promises run, and time with them. */
async function settle(clock: ManualClock, rounds = 100): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    await Promise.resolve()
    clock.advance(1_000)
  }
}

test('SC1: a notification commits its checkpoint and all before it, oldest first', async () => {
  const { committer, calls } = committerOf()
  committer.add([{ checkpointId: 2, committable: 'b' }])
  committer.add([
    { checkpointId: 1, committable: 'a' },
    { checkpointId: 3, committable: 'c' },
  ])
  await committer.commitUpTo(2)
  expect(calls).toEqual([['a#0', 'b#0']])
  expect(committer.pending).toEqual([{ checkpointId: 3, committable: 'c' }])
})

test('nothing to commit asks nobody', async () => {
  const { committer, calls } = committerOf()
  await committer.commitUpTo(5)
  expect(calls).toEqual([])
})

test('what was committed before is done', async () => {
  const { committer } = committerOf(request => request.alreadyCommitted())
  committer.add([{ checkpointId: 1, committable: 'a' }])
  await committer.commitUpTo(1)
  expect(committer.pending).toEqual([])
})

test('SC2: only what failed is tried again, later', async () => {
  const { committer, calls, clock } = committerOf(request => {
    if (request.committable === 'b' && request.retries < 2) request.retryLater('busy')
  })
  committer.add(['a', 'b', 'c'].map(committable => ({ checkpointId: 1, committable })))
  const done = committer.commitUpTo(1)
  await Promise.resolve()
  await Promise.resolve()
  expect(calls).toHaveLength(1)
  expect(committer.pending.map(stored => stored.committable)).toEqual(['b'])
  await settle(clock)
  await done
  expect(calls).toEqual([['a#0', 'b#0', 'c#0'], ['b#1'], ['b#2']])
})

test('the tenth failure is the last', async () => {
  const { committer, calls, clock } = committerOf(request => request.retryLater(new Error('no')))
  committer.add([{ checkpointId: 7, committable: 'a' }])
  const failed = expect(committer.commitUpTo(7)).rejects.toMatchObject({
    code: 'WEIR_COMMIT_FAILED',
    details: { sink: 'out', checkpointId: 7, tries: COMMIT_TRIES_MAX, reason: 'no' },
  })
  await settle(clock)
  await failed
  expect(calls).toHaveLength(COMMIT_TRIES_MAX)
  expect(committer.pending).toHaveLength(1)
})

test('a committable that can never be committed fails at once', async () => {
  const { committer } = committerOf(request => request.failed('transaction is gone'))
  committer.add([{ checkpointId: 1, committable: 'a' }])
  await expect(committer.commitUpTo(1)).rejects.toMatchObject({
    details: expect.objectContaining({ tries: 1, reason: 'transaction is gone' }),
  })
})

test('SC3: commits run one after the other', async () => {
  let running = 0
  let most = 0
  const committer = new SinkCommitter({
    sinkName: 'out',
    clock: new ManualClock(),
    committer: {
      async commit() {
        running++
        most = Math.max(most, running)
        await Promise.resolve()
        running--
      },
      close: () => {},
    },
  })
  committer.add([
    { checkpointId: 1, committable: 'a' },
    { checkpointId: 2, committable: 'b' },
  ])
  await Promise.all([committer.commitUpTo(1), committer.commitUpTo(2)])
  expect(most).toBe(1)
  expect(committer.pending).toEqual([])
})

/** A sink whose commits and aborts are noted; a commit of `stuck` never comes back. */
function settlingCommitter() {
  const clock = new ManualClock()
  const log: string[] = []
  const committer = new SinkCommitter({
    sinkName: 'out',
    clock,
    committer: {
      async commit(requests) {
        for (const { committable } of requests) {
          if (committable === 'stuck') await new Promise(() => {})
          log.push(`commit ${committable as string}`)
        }
      },
      abort: committables => void log.push(`abort ${committables.map(String).join()}`),
      close: () => {},
    },
  })
  return { clock, log, committer }
}

test('SC4: when the job is cancelled, only what no snapshot holds is taken back', async () => {
  const { committer, log } = settlingCommitter()
  const all = ['a', 'b', 'savepoint', 'c', 'd']
  committer.add(all.map((committable, index) => ({ checkpointId: index + 1, committable })))
  await committer.settle({ commitUpTo: 2, abortBeyond: 3 })
  expect(log).toEqual(['commit a', 'commit b', 'abort c,d'])
})

test('a cancelled job waits for a commit for a while only', async () => {
  const { committer, log, clock } = settlingCommitter()
  committer.add([{ checkpointId: 1, committable: 'stuck' }])
  const settling = committer.settle({ commitUpTo: 1, abortBeyond: 1 })
  await settle(clock, 5)
  await settling
  expect(log).toEqual([])
  expect(clock.pending).toBe(0)
})

test('an error that says itself what to do is not wrapped', async () => {
  const cause = runtimeErrors.WEIR_TASK_FAILED({ task: 'a', reason: 'gone' })
  const { committer } = committerOf(request => request.failed(cause))
  committer.add([{ checkpointId: 1, committable: 'a' }])
  await expect(committer.commitUpTo(1)).rejects.toBe(cause)
})
