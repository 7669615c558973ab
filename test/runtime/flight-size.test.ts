import { expect, test } from '@jest/globals'
import { FlightSize } from '../../src/runtime/flight-size.ts'

test('cheap records go by whole batches', () => {
  const flight = new FlightSize()
  expect(flight.size).toBeLessThan(20)
  for (let i = 0; i < 10; i++) flight.adapt(0.01)
  expect(flight.size).toBe(512)
})

test('costly records go by few, down to one, and by many again', () => {
  const flight = new FlightSize()
  for (let i = 0; i < 20; i++) flight.adapt(50)
  expect(flight.size).toBe(1)
  flight.adapt(0.3)
  expect(flight.size).toBe(1)
  for (let i = 0; i < 20; i++) flight.adapt(0.05)
  expect(flight.size).toBe(512)
})
