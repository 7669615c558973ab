import { describe, expect, test } from '@jest/globals'
import { InputQueue } from '../../../src/runtime/network/input-queue.ts'
import type { StreamEvent, WatermarkEvent } from '../../../src/runtime/network/stream-item.ts'
import type { BarrierAlignment } from '../../../src/runtime/task-contract.ts'
import { barrierOf } from '../../contract/channel.ts'

const forms: Readonly<Record<string, BarrierAlignment>> = {
  a: { kind: 'aligned' },
  u: { kind: 'unaligned' },
  t: { kind: 'timeout', timeoutMs: 5 },
}

/**
 * Words a step: `7` pushes a datum, `a1 t1` push a barrier in order, `u1` one that overtakes, `x1` a
 * cancel marker; `poll`, `prio`, `begin1`, `end1` ask, and what they gave is compared.
 */
function play(steps: readonly (readonly [word: string, given?: string])[]): void {
  let woken = 0
  const queue = new InputQueue<WatermarkEvent>(() => woken++)
  for (const [word, wanted = ''] of steps) {
    expect(`${word}: ${act(queue, word)}`).toBe(`${word}: ${wanted}`)
  }
  expect(woken).toBeGreaterThanOrEqual(0)
}

function act(queue: InputQueue<WatermarkEvent>, word: string): string {
  const id = Number(/\d+$/.exec(word)?.[0])
  if (word === 'poll') return show(queue.poll())
  if (word === 'prio') {
    const next = queue.pollPriority()
    return next === undefined ? '-' : `${next.announced ? 'announced ' : ''}${nameOf(next.barrier)}`
  }
  if (word.startsWith('begin')) return queue.beginRecording(id).map(show).join(' ')
  if (word.startsWith('end')) return queue.endRecording(id).map(show).join(' ')
  if (word.startsWith('x')) queue.push({ kind: 'cancel-barrier', checkpointId: id })
  else if (word.startsWith('u')) queue.pushAhead(barrierOf(id, { kind: 'unaligned' }))
  else if (/^[at]/.test(word)) {
    const alignment = forms[word[0] as string] as BarrierAlignment
    queue.push({ kind: 'barrier', barrier: barrierOf(id, alignment) })
  } else queue.push({ kind: 'watermark', watermark: id })
  return ''
}

function show(item: StreamEvent | undefined): string {
  switch (item?.kind) {
    case 'watermark':
      return String(item.watermark)
    case 'barrier':
      return nameOf(item.barrier)
    case 'cancel-barrier':
      return `x${item.checkpointId}`
    default:
      return '-'
  }
}

function nameOf({ alignment, checkpointId }: ReturnType<typeof barrierOf>): string {
  return `${alignment.kind[0]}${checkpointId}`
}

const cases: Record<string, readonly (readonly [string, string?])[]> = {
  'Q1: items come out as they went in': [
    ['1'],
    ['a1'],
    ['2'],
    ['poll', '1'],
    ['poll', 'a1'],
    ['poll', '2'],
    ['poll', '-'],
  ],
  'Q2: what came before a barrier that overtook may still be polled, what came after it waits': [
    ['1'],
    ['2'],
    ['u1'],
    ['3'],
    ['poll', '1'],
    ['poll', '2'],
    ['poll', '-'],
    ['prio', 'u1'],
    ['poll', '3'],
  ],
  'Q3: after the barrier was given, the rest of what is before it is known': [
    ['1'],
    ['2'],
    ['u1'],
    ['3'],
    ['poll', '1'],
    ['prio', 'u1'],
    ['begin1', '2'],
    ['end1', ''],
    ['poll', '2'],
    ['poll', '3'],
  ],
  'Q3: a recording collects until the barrier overtakes': [
    ['1'],
    ['begin1', '1'],
    ['2'],
    ['poll', '1'],
    ['3'],
    ['u1'],
    ['4'],
    ['end1', '2 3'],
    ['poll', '2'],
    ['prio', 'u1'],
    ['poll', '3'],
    ['poll', '4'],
  ],
  'Q4: a barrier that comes in order during its recording comes ahead': [
    ['begin1', ''],
    ['1'],
    ['t1'],
    ['2'],
    ['prio', 't1'],
    ['end1', '1'],
    ['prio', '-'],
    ['poll', '1'],
    ['poll', '2'],
    ['poll', '-'],
  ],
  'Q4: a barrier in the queue is taken out by the recording, announced or not': [
    ['1'],
    ['a1'],
    ['2'],
    ['begin1', '1'],
    ['poll', '1'],
    ['poll', '-'],
    ['prio', 'a1'],
    ['poll', '2'],
    ['poll', '-'],
  ],
  'an announcement is given once, and not after the barrier was polled': [
    ['1'],
    ['t1'],
    ['prio', 'announced t1'],
    ['poll', '1'],
    ['poll', 't1'],
    ['t2'],
    ['poll', 't2'],
    ['prio', '-'],
  ],
  'a barrier that was announced and taken out is not announced any more': [
    ['1'],
    ['t1'],
    ['2'],
    ['begin1', '1'],
    ['prio', 't1'],
    ['prio', '-'],
  ],
  'a barrier that was polled in order leaves nothing to record': [
    ['1'],
    ['a1'],
    ['2'],
    ['poll', '1'],
    ['poll', 'a1'],
    ['begin1', ''],
    ['3'],
    ['end1', ''],
  ],
  'a newer barrier ends the recording of one that was given up': [
    ['begin1', ''],
    ['1'],
    ['t2'],
    ['2'],
    ['end1', '1'],
    ['prio', 'announced t2'],
    ['begin2', '1'],
    ['prio', 't2'],
    ['poll', '1'],
    ['poll', '2'],
  ],
  'an older barrier that a newer one overtook stays in its place, and ends nothing': [
    ['begin2', ''],
    ['1'],
    ['u3'],
    ['2'],
    ['t2'],
    ['end2', '1'],
    ['prio', 'u3'],
    ['prio', 'announced t2'],
    ['begin3', '1'],
    ['poll', '1'],
    ['poll', '2'],
    ['poll', 't2'],
    ['begin3', ''],
  ],
  'barriers and cancel markers of older checkpoints are no data': [
    ['1'],
    ['a1'],
    ['x2'],
    ['2'],
    ['begin3', '1 2'],
    ['u3'],
    ['end3', ''],
    ['poll', '1'],
    ['poll', 'a1'],
    ['poll', 'x2'],
    ['poll', '2'],
  ],
  'one taken out of the middle is given before one that overtook later': [
    ['1'],
    ['a1'],
    ['2'],
    ['u2'],
    ['3'],
    ['begin1', '1'],
    ['end1', ''],
    ['poll', '1'],
    ['poll', '-'],
    ['prio', 'a1'],
    ['poll', '2'],
    ['poll', '-'],
    ['prio', 'u2'],
    ['poll', '3'],
  ],
}

describe('input queue', () => {
  test.each(Object.entries(cases))('%s', (_sentence, steps) => {
    play(steps)
  })

  test('one recording at a time', () => {
    const queue = new InputQueue<WatermarkEvent>(() => {})
    queue.beginRecording(1)
    expect(() => queue.beginRecording(2)).toThrow('Q3')
  })
})
