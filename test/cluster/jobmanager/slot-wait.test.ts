import { expect, test } from '@jest/globals'
import type { JobNotice } from '../../../src/cluster/job-result.ts'
import { SlotWait } from '../../../src/cluster/jobmanager/slot-wait.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

function bench(missing: number[]) {
  const clock = new ManualClock()
  const notices: JobNotice[] = []
  const wait = new SlotWait({
    slots: 3,
    missing: () => missing,
    clock,
    slotTimeoutMs: 60_000,
    onNotice: notice => void notices.push(notice),
  })
  return { clock, notices, wait }
}

test('nobody waits for what is there', async () => {
  const { wait, clock } = bench([])
  await wait.whenComplete(new AbortController().signal)
  expect(wait.waitingMs).toBeUndefined()
  expect(clock.pending).toBe(0)
})

test('a wait that is shorter than a process takes to come back is not worth a word', async () => {
  const { wait, clock, notices } = bench([1])
  const waited = wait.whenComplete(new AbortController().signal)
  clock.advance(2_500)
  wait.completed()
  await waited
  clock.advance(60_000)
  expect(notices).toEqual([])
})

test('the words become rarer, and the last one is an error', async () => {
  const { wait, clock, notices } = bench([1])
  const waited = wait.whenComplete(new AbortController().signal)
  const outcome = expect(waited).rejects.toMatchObject({
    code: 'WEIR_SLOTS_MISSING',
    message: 'slot 1 of 3 did not come within 1m',
  })
  clock.advance(60_000)
  await outcome
  expect(notices.map(({ text }) => /: (\S+) so far/.exec(text)?.[1])).toEqual([
    '3s',
    '9s',
    '21s',
    '45s',
  ])
})
