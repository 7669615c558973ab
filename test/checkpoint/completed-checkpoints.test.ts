import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { addCompleted, retain } from '../../src/checkpoint/completed-checkpoints.ts'

test('R1, R2: the newest and the pinned stay, whatever comes', () => {
  const pins = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(pins, fc.integer({ min: 1, max: 5 }), (pinned, retained) => {
      const all = pinned.map((pin, index) => ({ id: index + 1, pinned: pin }))
      const { kept, deleted } = retain(all, retained)
      expect([...kept, ...deleted].sort((a, b) => a.id - b.id)).toEqual(all)
      for (const newest of all.slice(-retained)) expect(kept).toContain(newest)
      expect(deleted.some(checkpoint => checkpoint.pinned)).toBe(false)
    }),
  )
})

test('R3: an older one cannot be added', () => {
  expect(() => addCompleted([{ id: 5, pinned: false }], 5, 1)).toThrow('R3')
})
