import { expect, test } from '@jest/globals'
import { typeOf } from '../../../src/schema/type-of.ts'
import { z } from '../../../src/schema/z.ts'
import { isFlatSchema } from '../../../src/state/heap/is-flat-schema.ts'

const flat: [string, z.ZodType][] = [
  ['a string', z.string()],
  ['an object', z.object({ a: z.string(), b: z.object({ c: z.number().nullable() }) })],
  ['a tuple', z.tuple([z.string(), z.int32().optional()])],
  [
    'a union',
    z.discriminatedUnion('k', [
      z.object({ k: z.literal('a') }),
      z.object({ k: z.literal('b'), at: z.timestamp() }),
    ]),
  ],
]
test.each(flat)('%s is flat', (_, schema) => {
  expect(isFlatSchema(typeOf(schema).schema)).toBe(true)
})

const long: [string, z.ZodType][] = [
  ['an array', z.array(z.int32())],
  ['a map', z.map(z.string(), z.int32())],
  ['a dictionary', z.record(z.string(), z.int32())],
  ['an object with a list', z.object({ a: z.object({ b: z.array(z.string()) }) })],
  ['an optional list', z.array(z.string()).optional()],
  ['a tuple with a list', z.tuple([z.array(z.string())])],
  [
    'a union with a list',
    z.discriminatedUnion('k', [
      z.object({ k: z.literal('a') }),
      z.object({ k: z.literal('b'), all: z.array(z.string()) }),
    ]),
  ],
]
test.each(long)('%s is not', (_, schema) => {
  expect(isFlatSchema(typeOf(schema).schema)).toBe(false)
})
