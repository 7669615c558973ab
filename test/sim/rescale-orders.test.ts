import { expect, test } from '@jest/globals'
import { RescaleOrders } from '../../src/testing/sim/rescale-orders.ts'

test('an order that was taken holds until another one is', () => {
  const orders = new RescaleOrders()
  expect(orders.refutes(3)).toBeUndefined()
  const first = orders.ask(2)
  // Its answer may be on the way.
  expect(orders.refutes(3)).toBeUndefined()
  first()
  expect([orders.refutes(2), orders.refutes(3)]).toEqual([undefined, '2'])
  const second = orders.ask(1)
  expect([orders.refutes(1), orders.refutes(2), orders.refutes(3)]).toEqual([
    undefined,
    undefined,
    '2 or 1',
  ])
  second()
  expect([orders.refutes(1), orders.refutes(2)]).toEqual([undefined, '1'])
})

test('an older one that is taken late changes nothing', () => {
  const orders = new RescaleOrders()
  const [first, second] = [orders.ask(2), orders.ask(3)]
  second()
  first()
  expect([orders.refutes(2), orders.refutes(3)]).toEqual(['3', undefined])
})
