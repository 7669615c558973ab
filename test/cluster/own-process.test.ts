import process from 'node:process'
import { expect, test } from '@jest/globals'
import { ownProcess } from '../../src/cluster/own-process.ts'
import type { FlameNode } from '../../src/cluster/process-inspector.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** About 100 MB of garbage. */
const TURNS = 400
const clock = new ManualClock()
const inspector = ownProcess(clock, 'slot-3').of('slot-3')

/** Works for so many turns of the event loop, then lets the window end. */
async function burn<T>(report: Promise<T> | undefined): Promise<T> {
  const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  while (clock.pending === 0) await turn()
  for (let n = 0; n < TURNS; n++) {
    burnSome()
    await turn()
  }
  clock.advance(100)
  return report as Promise<T>
}

/** Too large to be inlined, and it makes garbage. */
function burnSome(): number {
  let sum = 0
  for (let n = 0; n < 2_000; n++) sum += JSON.stringify({ n, text: `text ${n}` }).length
  return sum
}

test('it goes by its name only', () => {
  expect(ownProcess(clock, 'slot-3').names).toEqual(['slot-3'])
  expect(ownProcess(clock).of('slot-3')).toBeUndefined()
})

test('the function at work is the hottest, and in the tree', async () => {
  const threads = await burn(inspector?.threads(100))
  expect(threads.pid).toBe(process.pid)
  // V8 may count a small function for the one that calls it.
  const found = threads.hottest.find(one => /^burn/.test(one.name))
  expect(found).toMatchObject({ file: expect.stringContaining('own-process.test.ts') })
  const { root } = await burn(inspector?.flameGraph(100))
  const names = (node: FlameNode): string[] => [node.name, ...node.children.flatMap(names)]
  expect(names(root).some(name => /^burn/.test(name))).toBe(true)
})

test('the heap has its collections', async () => {
  const heap = await burn(inspector?.heap(100))
  expect(heap.heapUsedBytes).toBeGreaterThan(1_000_000)
  expect(heap.collections.length).toBeGreaterThan(0)
  for (const { count, totalMs, longestMs } of heap.collections) {
    expect(count).toBeGreaterThan(0)
    expect(longestMs).toBeLessThanOrEqual(totalMs)
  }
})
