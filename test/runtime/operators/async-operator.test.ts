import { describe, expect, test } from '@jest/globals'
import type { AsyncFunction } from '../../../src/api/functions.ts'
import type { AsyncOptions } from '../../../src/api/transformation.ts'
import { MAX_TIMESTAMP } from '../../../src/common/timestamps.ts'
import { AsyncOperator } from '../../../src/runtime/operators/async-operator.ts'
import {
  type AsyncEntry,
  OrderedAsyncQueue,
  UnorderedAsyncQueue,
} from '../../../src/runtime/operators/async-queue.ts'
import { operatorErrors } from '../../../src/runtime/operators/operator-errors.ts'
import { type HarnessOptions, OperatorHarness } from '../../../src/testing/operator-harness.ts'
import { testContext } from './test-context.ts'

/** Requests wait until the test answers them. */
class Service implements AsyncFunction<string, string> {
  readonly asked: string[] = []
  readonly aborted: string[] = []
  readonly #open = new Map<string, PromiseWithResolvers<readonly string[]>>()

  invoke(value: string, signal: AbortSignal): Promise<readonly string[]> {
    this.asked.push(value)
    const request = Promise.withResolvers<readonly string[]>()
    this.#open.set(value, request)
    signal.addEventListener('abort', () => this.aborted.push(value))
    return request.promise
  }

  answer(value: string, results: readonly string[] = [value.toUpperCase()]): void {
    this.#open.get(value)?.resolve(results)
  }

  fail(value: string): void {
    this.#open.get(value)?.reject(new Error(`no ${value}`))
  }
}

class PatientService extends Service {
  timeout(value: string): readonly string[] {
    return [`${value} timed out`]
  }
}

const plain: AsyncOptions = { ordered: true, timeoutMs: 0, capacity: 10, retry: undefined }

function open(
  fn: AsyncFunction<string, string>,
  options: Partial<AsyncOptions> = {},
  more: Partial<HarnessOptions> = {},
): Promise<OperatorHarness> {
  return OperatorHarness.open({
    operator: { kind: 'async', fn: fn as never, options: { ...plain, ...options } },
    ...more,
  })
}

describe('ordered', () => {
  test('results and watermarks leave in the order of the input', async () => {
    const service = new Service()
    const harness = await open(service)
    harness.processElement('a', 1)
    harness.processElement('b', 2)
    harness.processWatermark(2)
    harness.processStatus('idle')
    harness.processElement('c', 3)
    for (const value of ['c', 'b']) service.answer(value)
    await harness.settle()
    expect(harness.takeOutput()).toEqual([])
    service.answer('a', ['A1', 'A2'])
    await harness.settle()
    expect(harness.takeOutput()).toEqual([
      { kind: 'record', value: 'A1', timestamp: 1 },
      { kind: 'record', value: 'A2', timestamp: 1 },
      { kind: 'record', value: 'B', timestamp: 2 },
      { kind: 'watermark', watermark: 2 },
      { kind: 'status', status: 'idle' },
      { kind: 'record', value: 'C', timestamp: 3 },
    ])
  })

  test('a watermark without requests before it passes at once', async () => {
    const harness = await open(new Service())
    harness.processWatermark(2)
    expect(harness.takeOutput()).toEqual([{ kind: 'watermark', watermark: 2 }])
  })
})

describe('unordered', () => {
  test('Q1: results overtake each other, but never a watermark', async () => {
    const service = new Service()
    const harness = await open(service, { ordered: false })
    harness.processElement('a', 1)
    harness.processElement('b', 2)
    harness.processWatermark(2)
    harness.processElement('c', 3)
    for (const value of ['c', 'b']) service.answer(value)
    await harness.settle()
    expect(harness.takeValues()).toEqual(['B'])
    service.answer('a')
    await harness.settle()
    expect(harness.takeOutput()).toMatchObject([{ value: 'A' }, { watermark: 2 }, { value: 'C' }])
  })
})

describe('the queues', () => {
  const entry = (value: string): AsyncEntry => ({
    value,
    timestamp: 0,
    coordinates: undefined,
    results: undefined,
  })

  test.each([OrderedAsyncQueue, UnorderedAsyncQueue])('Q2: an entry completes once', Queue => {
    const queue = new Queue(() => {})
    const [a, b] = [entry('a'), entry('b')]
    queue.add(a)
    queue.add(b)
    expect([...queue.entries()]).toEqual([a, b])
    a.results = []
    queue.completed(a)
    expect(queue.size).toBe(1)
    expect(() => queue.completed(Queue === OrderedAsyncQueue ? b : a)).toThrow('Q2')
  })

  test('two marks on end leave together', () => {
    const sent: string[] = []
    const queue = new UnorderedAsyncQueue(({ value }) => sent.push(String(value)))
    const one = entry('a')
    queue.add(one)
    queue.addMark(() => sent.push('mark 1'))
    queue.addMark(() => sent.push('mark 2'))
    one.results = []
    queue.completed(one)
    expect(sent).toEqual(['a', 'mark 1', 'mark 2'])
  })
})

describe('capacity', () => {
  test('a full operator is blocked until a result has left', async () => {
    const service = new Service()
    const harness = await open(service, { capacity: 2 })
    harness.processElement('a')
    expect(harness.blocked).toBe(false)
    harness.processElement('b')
    expect(harness.blocked).toBe(true)
    service.answer('b')
    await harness.settle()
    expect(harness.blocked).toBe(true)
    service.answer('a')
    await harness.settle()
    expect(harness.blocked).toBe(false)
  })
})

describe('timeouts', () => {
  test('Y1: what comes after the timeout is ignored, and the request is told', async () => {
    const service = new PatientService()
    const harness = await open(service, { timeoutMs: 50 })
    harness.processElement('a', 1)
    harness.setProcessingTime(49)
    await harness.settle()
    expect(harness.takeValues()).toEqual([])
    harness.setProcessingTime(50)
    await harness.settle()
    service.answer('a')
    await harness.settle()
    expect(harness.takeValues()).toEqual(['a timed out'])
    expect(service.aborted).toEqual(['a'])
  })

  test('without a timeout function the job fails', async () => {
    const harness = await open(new Service(), { timeoutMs: 50 })
    harness.processElement('a')
    harness.setProcessingTime(50)
    await expect(harness.settle()).rejects.toThrow('50 ms')
    expect(operatorErrors.WEIR_ASYNC_TIMEOUT({ operator: 'x', timeoutMs: 1 }).retry).toBe('later')
  })

  test('a timeout function that throws fails the record', async () => {
    const service = new Service() as AsyncFunction<string, string>
    service.timeout = () => {
      throw new Error('no answer')
    }
    const harness = await open(service, { timeoutMs: 5 })
    harness.processElement('a')
    harness.setProcessingTime(5)
    await expect(harness.settle()).rejects.toThrow('no answer')
  })
})

const retry = { maxAttempts: 3, delayMs: 100, backoff: 2, maxDelayMs: 150 }

describe('errors and retries', () => {
  test('an error fails the job', async () => {
    const service = new Service()
    const harness = await open(service)
    harness.processElement('a')
    service.fail('a')
    await expect(harness.settle()).rejects.toThrow('no a')
  })

  test('a function that throws instead of rejecting is treated alike', async () => {
    const fn = {
      invoke: (): Promise<readonly string[]> => {
        throw new Error('at once')
      },
    }
    const harness = await open(fn)
    harness.processElement('a')
    await expect(harness.settle()).rejects.toThrow('at once')
  })

  test('the error policy may skip the record: it has no results', async () => {
    const service = new Service()
    const harness = await open(service, {}, { errorPolicy: { kind: 'skip', budget: 1 } })
    harness.processElement('a')
    harness.processElement('b')
    service.fail('a')
    service.answer('b')
    await harness.settle()
    expect(harness.takeValues()).toEqual(['B'])
  })

  test('an error is tried again after growing delays, then it counts', async () => {
    const service = new Service()
    const harness = await open(service, { retry })
    harness.processElement('a')
    for (const [now, tries] of [
      [0, 1],
      [100, 2],
      [249, 2],
      [250, 3],
    ] as const) {
      harness.setProcessingTime(now)
      await harness.settle()
      expect(service.asked).toHaveLength(tries)
      service.fail('a')
      if (now < 250) await harness.settle()
    }
    await expect(harness.settle()).rejects.toThrow('no a')
  })

  test('only what the predicates name is tried again', async () => {
    const service = new Service()
    const options = {
      retry: {
        ...retry,
        onError: () => false,
        onResult: (results: readonly unknown[]) => results.length === 0,
      },
    }
    const harness = await open(service, options)
    harness.processElement('a')
    service.answer('a', [])
    await harness.settle()
    harness.setProcessingTime(100)
    await harness.settle()
    expect(service.asked).toEqual(['a', 'a'])
    service.fail('a')
    await expect(harness.settle()).rejects.toThrow('no a')
  })

  test('results that a predicate still refuses after the last try are emitted', async () => {
    const service = new Service()
    const harness = await open(service, {
      retry: { ...retry, maxAttempts: 1, onResult: () => true },
    })
    harness.processElement('a')
    service.answer('a')
    await harness.settle()
    expect(harness.takeValues()).toEqual(['A'])
  })

  test('the timeout counts over all tries', async () => {
    const service = new PatientService()
    const harness = await open(service, { retry, timeoutMs: 120 })
    harness.processElement('a')
    service.fail('a')
    await harness.settle()
    harness.setProcessingTime(100)
    await harness.settle()
    service.fail('a')
    await harness.settle()
    harness.setProcessingTime(120)
    await harness.settle()
    expect(harness.takeValues()).toEqual(['a timed out'])
    harness.setProcessingTime(900)
    await harness.settle()
    expect(service.asked).toHaveLength(2)
  })
})

describe('the end of input', () => {
  test('waits for open requests; waiting retries run at once and are the last', async () => {
    const service = new Service()
    const harness = await open(service, { retry })
    harness.processElement('a', 1)
    service.fail('a')
    await harness.settle()
    harness.processWatermark(MAX_TIMESTAMP)
    expect(harness.finish()).toBe(false)
    expect(service.asked).toEqual(['a', 'a'])
    service.answer('a')
    await harness.settle()
    expect(harness.finish()).toBe(true)
    expect(harness.takeOutput()).toMatchObject([{ value: 'A' }, { kind: 'watermark' }])
  })
})

describe('snapshots', () => {
  test.each([true, false])(
    'Y2: what was not emitted is asked for again, before new records (ordered: %s)',
    async ordered => {
      const service = new Service()
      let harness = await open(service, { ordered })
      for (const [i, value] of ['a', 'b', 'c'].entries()) harness.processElement(value, i)
      service.answer('c')
      await harness.settle()
      const emittedBefore = harness.takeValues()
      harness = await harness.restart(2)
      const restored = service.asked.slice(3)
      expect(
        [...restored, ...emittedBefore].map(value => String(value).toLowerCase()).toSorted(),
      ).toEqual(['a', 'b', 'c'])
      for (const value of restored) service.answer(value)
      await harness.settle()
      const all = [...emittedBefore, ...harness.takeValues()]
      expect(all.map(String).toSorted()).toEqual(['A', 'B', 'C'])
    },
  )

  test('more than the capacity may come back: the operator is blocked then', async () => {
    const service = new Service()
    let harness = await open(service, { capacity: 2 }, { parallelism: 2 })
    for (const value of ['a', 'b', 'c', 'd']) harness.processElement(value)
    harness = await harness.restart(1)
    expect(service.asked).toHaveLength(8)
    expect(harness.blocked).toBe(true)
  })
})

test('Y1: nothing is emitted after close, and open requests are told', async () => {
  const service = new Service()
  const emitted: unknown[] = []
  const mail: (() => void)[] = []
  const context = testContext({
    emit: value => emitted.push(value),
    mailbox: { submit: action => void mail.push(action) },
  })
  const operator = new AsyncOperator(context, service as never, plain)
  await operator.open()
  operator.inputs[0]?.('a', 0)
  await operator.close()
  service.answer('a')
  await Promise.resolve()
  for (const action of mail) action()
  expect(emitted).toEqual([])
  expect(service.aborted).toEqual(['a'])
})
