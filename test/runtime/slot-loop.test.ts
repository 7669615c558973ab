import { expect, test } from '@jest/globals'
import { MAX_TIMESTAMP } from '../../src/common/timestamps.ts'
import { type LoopHandle, type LoopTask, SLICE_MS, SlotLoop } from '../../src/runtime/slot-loop.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** A task whose turns take `turnMs` and that wants `turns` of them. */
class CountedTask implements LoopTask {
  nextTimer = MAX_TIMESTAMP
  taken = 0
  left: number
  readonly #name: string
  readonly #clock: ManualClock
  readonly #turnMs: number
  readonly #log: string[]

  constructor(
    name: string,
    turns: number,
    parts: { clock: ManualClock; log: string[]; ms?: number },
  ) {
    this.#name = name
    this.left = turns
    this.#clock = parts.clock
    this.#log = parts.log
    this.#turnMs = parts.ms ?? 0
  }

  turn(): boolean {
    this.taken++
    this.#log.push(this.#name)
    this.#clock.advance(this.#turnMs)
    if (this.nextTimer <= this.#clock.now()) this.nextTimer = MAX_TIMESTAMP
    return --this.left > 0
  }
}

function loopOf() {
  const clock = new ManualClock()
  const log: string[] = []
  return { clock, log, loop: new SlotLoop({ clock }) }
}

/** Yields by hand: what the event loop would do. */
function scheduledLoop() {
  const clock = new ManualClock()
  const log: string[] = []
  const yields: (() => void)[] = []
  const loop = new SlotLoop({ clock, yieldThen: callback => void yields.push(callback) })
  const turn = (): boolean => {
    const callback = yields.shift()
    callback?.()
    return callback !== undefined
  }
  return { clock, log, loop, yields, turn }
}

test('tasks further downstream come first', () => {
  const { clock, log, loop } = loopOf()
  const handles = [
    loop.add(new CountedTask('source', 1, { clock, log }), 0),
    loop.add(new CountedTask('sink', 1, { clock, log }), 2),
    loop.add(new CountedTask('middle', 1, { clock, log }), 1),
  ]
  for (const handle of handles) handle.wake()
  loop.step()
  expect(log).toEqual(['sink', 'middle', 'source'])
})

test('S1: nobody gets a second turn before every ready task had one', () => {
  const { clock, log, loop } = loopOf()
  for (const name of ['a', 'b', 'c']) {
    loop.add(new CountedTask(name, 5, { clock, log, ms: SLICE_MS }), 0).wake()
  }
  while (loop.step()) {
    // A slice is one turn here: the next one goes on where it ended.
  }
  expect(log.join('')).toBe('abcabcabcabcabc')
})

test('S2: a slice ends after its time, whoever is still ready', () => {
  const { clock, log, loop } = loopOf()
  loop.add(new CountedTask('a', 100, { clock, log, ms: SLICE_MS / 4 }), 0).wake()
  expect(loop.step()).toBe(true)
  expect(log).toHaveLength(4)
})

test('a clock that stands still makes no slice endless', () => {
  const { clock, log, loop } = loopOf()
  loop.add(new CountedTask('a', Number.POSITIVE_INFINITY, { clock, log }), 0).wake()
  expect(loop.step()).toBe(true)
  expect(log.length).toBeLessThan(100)
})

test('a task that is not ready gets no turn', () => {
  const { clock, log, loop } = loopOf()
  loop.add(new CountedTask('asleep', 1, { clock, log }), 1)
  loop.add(new CountedTask('awake', 1, { clock, log }), 0).wake()
  expect(loop.step()).toBe(false)
  expect(log).toEqual(['awake'])
})

test('a wake-up during its own turn is not lost', () => {
  const { loop } = loopOf()
  let handle: LoopHandle | undefined
  let turns = 0
  handle = loop.add(
    {
      nextTimer: MAX_TIMESTAMP,
      turn: () => {
        turns++
        if (turns === 1) handle?.wake()
        return false
      },
    },
    0,
  )
  handle.wake()
  loop.step()
  expect(turns).toBe(2)
})

test('S3: a sleeping loop yields nothing until it is woken', () => {
  const { clock, log, loop, yields, turn } = scheduledLoop()
  const handle = loop.add(new CountedTask('a', 1, { clock, log }), 0)
  expect(yields).toHaveLength(0)
  handle.wake()
  handle.wake()
  expect(yields).toHaveLength(1)
  turn()
  expect(yields).toHaveLength(0)
  expect(log).toEqual(['a'])
})

test('a timer ends the sleep, once', () => {
  const { clock, log, loop, yields, turn } = scheduledLoop()
  const task = new CountedTask('a', 1, { clock, log })
  loop.add(task, 0).wake()
  task.nextTimer = 500
  turn()
  expect(clock.pending).toBe(1)
  clock.advanceTo(499)
  expect(yields).toHaveLength(0)
  clock.advanceTo(500)
  turn()
  expect(log).toEqual(['a', 'a'])
  expect(clock.pending).toBe(0)
})

test('a removed task gets no turn, and others go on', () => {
  const { clock, log, loop } = loopOf()
  const gone = loop.add(new CountedTask('gone', 3, { clock, log }), 1)
  loop.add(new CountedTask('here', 2, { clock, log }), 0).wake()
  gone.wake()
  gone.remove()
  gone.wake()
  while (loop.step()) {
    // To the end.
  }
  expect(log).toEqual(['here', 'here'])
})

test('the real loop lets timers and sockets in between two slices', async () => {
  const clock = new ManualClock()
  const loop = SlotLoop.running(clock)
  let turns = 0
  const task: LoopTask = { nextTimer: MAX_TIMESTAMP, turn: () => ++turns < 1_000 }
  const seen = new Promise<number>(resolve => setImmediate(() => resolve(turns)))
  loop.add(task, 0).wake()
  expect(await seen).toBeLessThan(1_000)
})
