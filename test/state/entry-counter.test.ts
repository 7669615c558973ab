/** Reading stored key groups without the job that wrote them. */
import { expect, test } from '@jest/globals'
import { listState, mapState, reducingState, valueState } from '../../src/api/state-descriptor.ts'
import { record } from '../../src/schema/record.ts'
import { z } from '../../src/schema/z.ts'
import { EntryCounter } from '../../src/state/entry-counter.ts'
import { makeHeapBackend } from '../../src/state/heap/heap-keyed-state-backend.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { snapshotOf } from '../contract/keyed-state-setup.ts'

const KEYS = 40
const Sale = record({ shop: z.string(), amount: z.number(), at: z.timestamp() })

/** Of every kind of state, with a TTL, a namespace, timers, and values that have no schema. */
function stored() {
  const backend = makeHeapBackend({
    operatorName: 'sales',
    maxParallelism: 16,
    range: { start: 0, end: 15 },
    clock: new ManualClock(),
  })
  const last = backend.state('last', valueState(Sale))
  const names = backend.state('names', listState(z.string()))
  const byShop = backend.state('byShop', mapState(z.string(), Sale))
  const sum = backend.state(
    'sum',
    reducingState((a: number, b: number) => a + b, z.int32()),
  )
  const loose = backend.state('loose', valueState<unknown>())
  const timers = backend.timerQueue('ends')
  for (let key = 0; key < KEYS; key++) {
    backend.setCurrentKey(key)
    last.update({ shop: `s${key}`, amount: key / 3, at: key })
    for (let i = 0; i < key % 3; i++) names.add(`${i}`)
    byShop.put('a', { shop: 'a', amount: 1, at: 2 })
    sum.setNamespace(key % 2 === 0 ? 0 : 60_000)
    sum.add(key)
    loose.update({ anything: [key, null, 'x'] })
    timers.add(0, key * 1_000)
  }
  return snapshotOf(backend)
}

test('each key of each state is counted, and each timer', () => {
  const { states, groups } = stored()
  const counter = new EntryCounter(states)
  const total = groups.reduce((sum, { bytes }) => sum + counter.count(bytes), 0)
  const withoutNames = Math.ceil(KEYS / 3)
  expect(total).toBe(KEYS * 6 - withoutNames)
})

test('bytes that are no entries are refused, wherever they are cut', () => {
  const { states, groups } = stored()
  const counter = new EntryCounter(states)
  const [{ bytes } = { bytes: Buffer.alloc(0) }] = groups
  const whole = counter.count(bytes)
  for (let length = 0; length < bytes.length; length++) {
    let found: number | undefined
    try {
      found = counter.count(bytes.subarray(0, length))
    } catch (error) {
      expect(error).toMatchObject({ code: 'WEIR_BYTES_MALFORMED' })
    }
    // Between two blocks the rest is a section, too: its checksum tells.
    if (found !== undefined) expect(found).toBeLessThan(whole)
  }
})
