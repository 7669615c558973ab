import { describe, expect, test } from '@jest/globals'
import {
  aggregatingState,
  listState,
  mapState,
  reducingState,
  type StateDescriptor,
  type TtlConfig,
  valueState,
} from '../../src/api/state-descriptor.ts'
import { z } from '../../src/schema/z.ts'
import {
  type HeapKeyedStateBackend,
  makeHeapBackend,
} from '../../src/state/heap/heap-keyed-state-backend.ts'
import { TtlSweep } from '../../src/state/heap/ttl-sweep.ts'
import { Ttl } from '../../src/state/ttl.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { snapshotOf } from '../contract/keyed-state-setup.ts'

interface Opened {
  readonly clock: ManualClock
  readonly backend: HeapKeyedStateBackend
}

function open(ttlCleanup: 'incremental' | 'none' = 'none', clock = new ManualClock()): Opened {
  const range = { start: 0, end: 127 }
  const backend = makeHeapBackend({
    operatorName: 'ttl',
    maxParallelism: 128,
    range,
    clock,
    ttlCleanup,
  })
  backend.setCurrentKey('k')
  return { clock, backend }
}

const ttl: TtlConfig = { ttlMs: 10 }
const onRead: TtlConfig = { ...ttl, updateType: 'on-read-and-write' }
const returning: TtlConfig = { ...ttl, visibility: 'return-expired-if-not-cleaned-up' }

test('a time is over when it plus the TTL is reached', () => {
  const one = new Ttl(ttl, new ManualClock())
  expect([9, 10, 11].map(now => one.isExpired(0, now))).toEqual([false, true, true])
})

describe('a value', () => {
  test('is gone at its time, and its entry with it', () => {
    const { clock, backend } = open()
    const state = backend.state('v', valueState(z.int32(), { ttl }))
    state.update(1)
    clock.setNow(9)
    expect(state.value()).toBe(1)
    clock.setNow(10)
    expect([state.value(), backend.size().entries]).toEqual([undefined, 0])
  })

  test('is renewed by a write, and by a read where reads renew', () => {
    const { clock, backend } = open()
    const written = backend.state('w', valueState(z.int32(), { ttl }))
    const read = backend.state('r', valueState(z.int32(), { ttl: onRead }))
    for (const state of [written, read]) state.update(1)
    clock.setNow(9)
    written.value()
    read.value()
    clock.setNow(18)
    expect([written.value(), read.value()]).toEqual([undefined, 1])
  })

  test('may be returned once after its time', () => {
    const { clock, backend } = open()
    const state = backend.state('v', valueState(z.int32(), { ttl: returning }))
    state.update(1)
    clock.setNow(50)
    expect([state.value(), state.value()]).toEqual([1, undefined])
  })

  test('lives on when the clock goes back', () => {
    const { clock, backend } = open()
    const state = backend.state('v', valueState(z.int32(), { ttl }))
    clock.setNow(100)
    state.update(1)
    clock.setNow(50)
    expect(state.value()).toBe(1)
  })
})

describe('an accumulator', () => {
  test('begins anew after its time', () => {
    const { clock, backend } = open()
    const sum = backend.state(
      'r',
      reducingState<number>((a, b) => a + b, z.number(), { ttl }),
    )
    const count = backend.state(
      'a',
      aggregatingState<number, number, number>(
        {
          accumulator: z.int(),
          create: () => 0,
          add: (_, n) => n + 1,
          result: n => n,
          merge: (a, b) => a + b,
        },
        { ttl },
      ),
    )
    sum.add(5)
    count.add(5)
    clock.setNow(10)
    sum.add(1)
    count.add(1)
    expect([sum.get(), count.get(), count.accumulator()]).toEqual([1, 1, 1])
    for (const handle of [sum, count]) handle.setNamespace(1)
    sum.add(2)
    count.add(2)
    for (const handle of [sum, count]) {
      handle.setNamespace(0)
      handle.mergeNamespaces(0, [1])
    }
    expect([sum.get(), count.get()]).toEqual([3, 2])
    clock.setNow(20)
    expect([sum.get(), count.get()]).toEqual([undefined, undefined])
  })
})

describe('a list', () => {
  test('hides what is expired, and drops it when all is', () => {
    const { clock, backend } = open()
    const state = backend.state('l', listState(z.int32(), { ttl }))
    state.add(1)
    clock.setNow(5)
    state.addAll([2, 3])
    clock.setNow(10)
    expect(state.get()).toEqual([2, 3])
    state.update([4])
    clock.setNow(20)
    expect([state.get(), backend.size().entries]).toEqual([[], 0])
  })

  test('merges with the times of its elements', () => {
    const { clock, backend } = open()
    const state = backend.state('l', listState(z.int32(), { ttl }))
    state.setNamespace(1)
    state.add(1)
    clock.setNow(5)
    state.setNamespace(2)
    state.add(2)
    state.mergeNamespaces(2, [1])
    expect(state.get()).toEqual([2, 1])
    clock.setNow(10)
    expect(state.get()).toEqual([2])
  })
})

test('entries of a map expire one by one', () => {
  const { clock, backend } = open()
  const state = backend.state('m', mapState(z.string(), z.int32(), { ttl }))
  state.put('a', 1)
  clock.setNow(5)
  state.put('b', 2)
  clock.setNow(10)
  expect([[...state.keys()], [...state.values()], state.has('a')]).toEqual([['b'], [2], false])
  clock.setNow(15)
  expect(state.isEmpty()).toBe(false)
  expect([[...state.entries()], state.isEmpty()]).toEqual([[], true])
})

describe('a snapshot', () => {
  const descriptors = (config: TtlConfig | undefined) => {
    const options = config === undefined ? {} : { ttl: config }
    return {
      value: valueState(z.int32(), options),
      list: listState(z.int32(), options),
      map: mapState(z.string(), z.int32(), options),
    }
  }

  function fill({ backend }: Opened, config: TtlConfig | undefined, number: number): void {
    const { value, list, map } = descriptors(config)
    backend.state('value', value).update(number)
    backend.state('list', list).add(number)
    backend.state('map', map).put(`${number}`, number)
  }

  function read({ backend }: Opened, config: TtlConfig | undefined): unknown[] {
    const { value, list, map } = descriptors(config)
    return [
      backend.state('value', value).value(),
      backend.state('list', list).get(),
      [...backend.state('map', map).keys()],
    ]
  }

  test('leaves out what is expired, element by element', () => {
    const from = open()
    fill(from, ttl, 1)
    from.backend.setCurrentKey('later')
    from.clock.setNow(5)
    fill(from, ttl, 2)
    from.backend.setCurrentKey('k')
    from.backend.state('list', descriptors(ttl).list).add(3)
    from.backend.state('map', descriptors(ttl).map).put('3', 3)
    from.clock.setNow(12)
    const restored = open('none', from.clock)
    restored.backend.restore([snapshotOf(from.backend)])
    from.clock.setNow(0)
    // At an earlier clock nothing would be expired: what is gone was not in the snapshot.
    expect(read(restored, ttl)).toEqual([undefined, [3], ['3']])
    restored.backend.setCurrentKey('later')
    expect(read(restored, ttl)).toEqual([2, [2], ['2']])
  })

  test('a TTL may be given to existing state: it counts from the restore', () => {
    const from = open()
    fill(from, undefined, 1)
    const restored = open('none', new ManualClock(1_000))
    restored.backend.restore([snapshotOf(from.backend)])
    expect(read(restored, ttl)).toEqual([1, [1], ['1']])
    restored.clock.setNow(1_010)
    expect(read(restored, ttl)).toEqual([undefined, [], []])
  })

  test('a TTL may be taken away', () => {
    const from = open()
    fill(from, ttl, 1)
    const restored = open('none', from.clock)
    restored.backend.restore([snapshotOf(from.backend)])
    restored.clock.setNow(1_000_000)
    expect(read(restored, undefined)).toEqual([1, [1], ['1']])
  })

  test('what expired between snapshot and restore is not restored', () => {
    const from = open()
    fill(from, returning, 1)
    const stored = snapshotOf(from.backend)
    const restored = open('none', new ManualClock(10))
    restored.backend.restore([stored])
    expect(read(restored, returning)).toEqual([undefined, [], []])
  })
})

describe('between snapshots', () => {
  const kinds: Record<string, [StateDescriptor, (handle: never) => void]> = {
    value: [valueState(z.int32(), { ttl }), (h: { update(v: number): void }) => h.update(1)],
    list: [listState(z.int32(), { ttl }), (h: { add(v: number): void }) => h.add(1)],
    map: [
      mapState(z.int32(), z.int32(), { ttl }),
      (h: { put(k: number, v: number): void }) => h.put(1, 1),
    ],
    reducing: [
      reducingState<number>((a, b) => a + b, z.number(), { ttl }) as StateDescriptor,
      (h: { add(v: number): void }) => h.add(1),
    ],
  }
  test.each(Object.entries(kinds))('writes drop the expired: %s', (_, [descriptor, write]) => {
    const { clock, backend } = open('incremental')
    const state = backend.state('s', descriptor)
    for (let key = 0; key < 5_000; key++) {
      backend.setCurrentKey(key)
      write(state as never)
    }
    clock.setNow(10)
    for (let i = 0; i < 5_000; i++) {
      backend.setCurrentKey(`late ${i % 10}`)
      write(state as never)
    }
    expect(backend.size().entries).toBe(10)
  })

  test('a snapshot drops the expired that nobody writes any more', () => {
    const { clock, backend } = open('incremental')
    const state = backend.state('s', valueState(z.int32(), { ttl }))
    for (let key = 0; key < 1_000; key++) {
      backend.setCurrentKey(key)
      state.update(key)
    }
    clock.setNow(10)
    snapshotOf(backend)
    snapshotOf(backend)
    expect(backend.size().entries).toBe(0)
  })

  test('a sweep that is off looks at nothing', () => {
    const sweep = new TtlSweep(undefined as never, false)
    expect(sweep.afterWrite(undefined as never)).toBe(false)
  })
})
