import { expect, test } from '@jest/globals'
import type { Lifecycle } from '../../src/api/functions.ts'
import { type Job, job } from '../../src/api/job.ts'
import { MAX_TIMESTAMP } from '../../src/common/timestamps.ts'
import { openSecondChain, operatorNames } from './chain-fixture.ts'
import { logSink, numbers, SinkLog } from './test-connectors.ts'

/** Two keyed operators with timers in one chain, the second fed by the first, and a sink behind. */
function timersInChain(log: SinkLog<string>, events: string[] = []): Job {
  const lifecycle = (name: string): Lifecycle => ({
    open: () => void events.push(`open ${name}`),
    close: () => void events.push(`close ${name}`),
  })
  return job(env =>
    env
      .from(numbers(1))
      .uid('numbers')
      .keyBy(n => n)
      .process<string>({
        ...lifecycle('first'),
        processElement(value, context) {
          context.timers.registerEventTimeTimer(value)
        },
        onTimer(timestamp, _context, out) {
          out.collect(`t${timestamp}`)
        },
      })
      .uid('first')
      .name('first')
      .process<string>({
        ...lifecycle('second'),
        processElement(value, _context, out) {
          out.collect(`${value}!`)
        },
      })
      .uid('second')
      .name('second')
      .to(logSink(log))
      .uid('out')
      .name('out'),
  )
}

test('H1: opens from the tail and closes all', async () => {
  const events: string[] = []
  const log = new SinkLog<string>()
  const made = timersInChain(log, events)
  const { chain, vertex } = await openSecondChain(made).catch((error: unknown) => {
    throw error
  })
  expect(operatorNames(vertex)).toEqual(['first', 'second', 'out'])
  expect(events).toEqual(['open second', 'open first'])
  await chain.close()
  expect(events.slice(2).toSorted()).toEqual(['close first', 'close second'])
  expect(log.events).toEqual(['close'])
})

test('H2: an interrupted operator goes on, and then the watermark follows', async () => {
  const log = new SinkLog<string>()
  const { chain, scope } = await openSecondChain(timersInChain(log))
  const [push] = chain.inputs
  for (const n of [1, 2, 3]) push?.(n, 0)
  scope.full = true
  chain.processWatermark(2)
  expect(log.values).toEqual(['t1!'])
  expect(chain.hasInterrupted).toBe(true)
  // One that comes all the same waits for its turn.
  chain.processWatermark(3)
  const tail = chain.links.at(-1)?.home.context.metrics
  expect(tail?.currentWatermark).not.toBe(2)
  scope.full = false
  expect(chain.resume()).toBe(true)
  expect(log.values).toEqual(['t1!', 't2!', 't3!'])
  expect([chain.hasInterrupted, tail?.currentWatermark]).toEqual([false, 3])
})

test('event time ends through the whole chain', async () => {
  const log = new SinkLog<string>()
  const { chain } = await openSecondChain(timersInChain(log))
  chain.inputs[0]?.(7, 0)
  chain.processWatermark(MAX_TIMESTAMP)
  expect(log.values).toEqual(['t7!'])
  expect(chain.links.map(link => link.home.context.metrics.currentWatermark)).toEqual([
    MAX_TIMESTAMP,
    MAX_TIMESTAMP,
    MAX_TIMESTAMP,
  ])
})

test('H3: finishes head first, as far as there is room', async () => {
  const { chain } = await openSecondChain(timersInChain(new SinkLog<string>()))
  const order: string[] = []
  for (const { node, operator } of chain.links) {
    operator.endInput = () => void order.push(`end ${node.name}`)
    operator.finish = () => {
      order.push(`finish ${node.name}`)
      return order.filter(entry => entry === 'finish second').length !== 1
    }
  }
  expect(chain.finish(() => false)).toBe(false)
  expect(order).toEqual([])
  expect(chain.finish(() => true)).toBe(false)
  expect(order).toEqual(['finish first', 'end second', 'finish second'])
  expect(chain.finish(() => true)).toBe(true)
  expect(order.slice(3)).toEqual(['finish second', 'end out', 'finish out'])
})

test('closes what is open when an operator cannot be opened', async () => {
  const log = new SinkLog<string>()
  const made = job(env =>
    env
      .from(numbers(1))
      .uid('numbers')
      .keyBy(n => n)
      .process<string>({
        open: () => {
          throw new Error('no service')
        },
        processElement() {},
      })
      .uid('first')
      .to(logSink(log))
      .uid('out'),
  )
  await expect(openSecondChain(made)).rejects.toThrow('no service')
  expect(log.events).toEqual(['close'])
})

test('watermarks and statuses reach every output of every operator', async () => {
  const log = new SinkLog<number>()
  const made = job(env => {
    const first = env
      .from(numbers(1))
      .uid('numbers')
      .rebalance()
      .map(n => n + 1)
    first.rebalance().to(logSink(log)).uid('a')
    first
      .filter(n => n > 5)
      .rebalance()
      .to(logSink(log))
      .uid('b')
  })
  const { chain, channels } = await openSecondChain(made)
  chain.inputs[0]?.(9, 4)
  chain.processWatermark(5)
  chain.processStatus('idle')
  expect(channels).toHaveLength(2)
  for (const channel of channels) {
    const items = [channel.poll(), channel.poll(), channel.poll(), channel.poll()]
    expect(items.map(item => item?.kind)).toEqual(['records', 'watermark', 'status', undefined])
  }
})
