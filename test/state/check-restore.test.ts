import { describe, expect, test } from '@jest/globals'
import {
  aggregatingState,
  listState,
  mapState,
  type StateDescriptor,
  valueState,
} from '../../src/api/state-descriptor.ts'
import { ByteReader, ByteWriter } from '../../src/common/bytes.ts'
import { generalType } from '../../src/schema/general-type.ts'
import { z } from '../../src/schema/z.ts'
import { checkRestore } from '../../src/state/check-restore.ts'
import { makeHeapBackend } from '../../src/state/heap/heap-keyed-state-backend.ts'
import { mapKeyTypeOf, valueTypeOf } from '../../src/state/state-type.ts'
import { storedReaders } from '../../src/state/stored-readers.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { snapshotOf } from '../contract/keyed-state-setup.ts'

const operatorName = 'enrich'

function open() {
  const range = { start: 0, end: 127 }
  const clock = new ManualClock()
  return makeHeapBackend({ operatorName, maxParallelism: 128, range, clock })
}

/** What a snapshot of this state holds, with one value in it. */
function store(descriptor: StateDescriptor, fill: (handle: never) => void) {
  const backend = open()
  const handle = backend.state('s', descriptor)
  backend.setCurrentKey(1)
  fill(handle as never)
  return snapshotOf(backend)
}

interface Updatable {
  update(value: unknown): void
}

const person = z.object({ name: z.string(), age: z.int32() })
const ann = { name: 'Ann', age: 33 }
const stored = store(valueState(person), (s: Updatable) => s.update(ann))

interface Case {
  readonly now: StateDescriptor
  readonly verdict: 'as-is' | 'evolved' | 'migrated' | 'incompatible'
  /** The value that is read then. */
  readonly value?: unknown
  /** What the error says. */
  readonly field?: string
}

const cases: Record<string, Case> = {
  'the same schema': { now: valueState(person), verdict: 'as-is', value: ann },
  'a new field with a default': {
    now: valueState(person.extend({ city: z.string().default('Oslo') })),
    verdict: 'evolved',
    value: { ...ann, city: 'Oslo' },
  },
  'a field less': {
    now: valueState(z.object({ name: z.string() })),
    verdict: 'evolved',
    value: { name: 'Ann' },
  },
  'a wider number': {
    now: valueState(z.object({ name: z.string(), age: z.number() })),
    verdict: 'evolved',
    value: ann,
  },
  'a field of another type': {
    now: valueState(z.object({ name: z.string(), age: z.string() })),
    verdict: 'incompatible',
    field: 'age',
  },
  'a new field without a value': {
    now: valueState(person.extend({ city: z.string() })),
    verdict: 'incompatible',
    field: 'city',
  },
  'another kind of state': { now: listState(person), verdict: 'incompatible', field: '' },
  'a raised version with a migrate function': {
    now: valueState(z.string(), {
      version: 1,
      migrate: (old, version) => `${(old as typeof ann).name} of version ${version}`,
    }),
    verdict: 'migrated',
    value: 'Ann of version 0',
  },
  'a raised version without one': {
    now: valueState(person, { version: 1 }),
    verdict: 'incompatible',
    field: '',
  },
}

describe('a stored value is restored into', () => {
  test.each(Object.entries(cases))('%s', (_, { now, verdict, value, field }) => {
    const { states, errors } = checkRestore({ s: now }, stored.states, { operatorName })
    expect(states).toEqual([{ name: 's', verdict }])
    const backend = open()
    backend.restore([stored])
    backend.setCurrentKey(1)
    if (verdict === 'incompatible') {
      const error = { code: 'WEIR_STATE_INCOMPATIBLE', details: { operator: 'enrich', state: 's' } }
      expect(errors).toMatchObject([error])
      expect(errors).toMatchObject([{ details: { field } }])
      expect(() => backend.state('s', now)).toThrow(expect.objectContaining({ code: error.code }))
    } else {
      expect(errors).toEqual([])
      const handle = backend.state('s', now) as unknown as { value(): unknown }
      expect(handle.value()).toEqual(value)
    }
  })

  test('an older version never', () => {
    const newer = stored.states.map(meta => ({ ...meta, version: 3 }))
    const { errors } = checkRestore({ s: valueState(person) }, newer, { operatorName })
    expect(errors[0]?.message).toMatch('newer version')
  })

  test('a map whose keys changed never', () => {
    const was = store(mapState(z.string(), z.int32()), (s: { put(k: string, v: number): void }) =>
      s.put('a', 1),
    )
    const check = (now: StateDescriptor) =>
      checkRestore({ s: now }, was.states, { operatorName }).states[0]?.verdict
    expect(check(mapState(z.string(), z.number()))).toBe('evolved')
    expect(check(mapState(z.int32(), z.int32()))).toBe('incompatible')
  })
})

test('elements of lists, values of maps and accumulators evolve like values', () => {
  const wider = person.extend({ city: z.string().default('Oslo') })
  const list = store(listState(person), (s: { add(v: unknown): void }) => s.add(ann))
  const map = store(mapState(z.int32(), person), (s: { put(k: number, v: unknown): void }) =>
    s.put(7, ann),
  )
  const aggregate = {
    create: () => ann,
    add: (_: unknown, acc: typeof ann) => acc,
    result: (acc: typeof ann) => acc,
  }
  const accumulator = store(
    aggregatingState({ ...aggregate, accumulator: person }) as StateDescriptor,
    (s: { add(v: number): void }) => s.add(1),
  )
  const read = (from: typeof list, descriptor: StateDescriptor): never => {
    const backend = open()
    backend.restore([from])
    backend.setCurrentKey(1)
    return backend.state('s', descriptor) as never
  }
  const wanted = { ...ann, city: 'Oslo' }
  expect((read(list, listState(wider)) as { get(): unknown }).get()).toEqual([wanted])
  const entries = (
    read(map, mapState(z.int32(), wider)) as { entries(): Iterable<unknown> }
  ).entries()
  expect([...entries]).toEqual([[7, wanted]])
  const now = aggregatingState({ ...aggregate, accumulator: wider } as never) as StateDescriptor
  expect((read(accumulator, now) as { get(): unknown }).get()).toEqual(wanted)
})

describe('state that is not declared any more', () => {
  const metas = stored.states.map(meta => ({ ...meta, name: 'gone' }))

  test('forbids the restore, by name', () => {
    const { states, errors } = checkRestore({ s: valueState(person) }, metas, { operatorName })
    expect(states).toEqual([
      { name: 's', verdict: 'new' },
      { name: 'gone', verdict: 'dropped' },
    ])
    expect(errors).toMatchObject([
      {
        code: 'WEIR_STATE_DROPPED',
        details: { operator: 'enrich', uid: 'enrich', states: ['gone'] },
      },
    ])
  })

  test.each([[['gone']], [true]] as const)('may be given up explicitly: %j', dropState => {
    expect(checkRestore({}, metas, { operatorName, dropState }).errors).toEqual([])
  })

  test('does not go by naming another', () => {
    const { errors } = checkRestore({}, metas, { operatorName, dropState: ['other'] })
    expect(errors).toHaveLength(1)
  })

  test('timers are no declared state', () => {
    const timers = { name: 'event', kind: 'timers', schema: null, version: 0, ttl: false } as const
    expect(checkRestore({}, [timers], { operatorName }).errors).toEqual([])
  })
})

test('stored values of the general type are read as they were for a migrate function', () => {
  const descriptor = valueState<number>(z.int32(), {
    version: 2,
    migrate: old => (old as { n: number }).n,
  }) as StateDescriptor
  const meta = { ...(stored.states[0] as object), name: 's', schema: generalType.schema }
  const out = new ByteWriter()
  generalType.write(out, { n: 5 })
  const { readValue, readMapKey } = storedReaders(descriptor, meta as never, operatorName)
  expect(readValue(new ByteReader(out.copy()))).toBe(5)
  expect(() => readMapKey(new ByteReader(out.copy()))).toThrow('map keys')
})

test('a state without a schema has the general type', () => {
  expect(valueTypeOf(valueState())).toBe(generalType)
  expect(mapKeyTypeOf(mapState())).toBe(generalType)
})
