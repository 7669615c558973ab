/**
 * The process dies at each call to the store, before it or after it, and a new one goes on from
 * what is stored. Whatever the moment: nothing is lost, nothing is doubled.
 */
import { describe, expect, test } from '@jest/globals'
import { SystemClock } from '../../src/common/clock.ts'
import { isWeirError } from '../../src/common/errors.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { FaultyObjectStore, type StoreCall } from '../../src/testing/faulty-object-store.ts'
import { runJob, startJob } from '../../src/testing/run-job.ts'
import { countingJob } from './counting-job.ts'

const size = { records: 300, keys: 7, perCheckpoint: 40 }
/** Some hundred jobs, one after the other. */
const TIMEOUT_MS = 120_000
const options = { checkpointEvery: 1, checkpoint: { retained: 2 } } as const

/** Runs until the store dies at this call; says whether it did. */
async function runUntilDeath(
  job: Parameters<typeof startJob>[0],
  inner: MemoryStore,
  death: { readonly call: number; readonly when: 'before' | 'after'; readonly restore?: string },
): Promise<{ readonly died: boolean; readonly error: unknown; readonly lastCall: string }> {
  let dead = false
  let lastCall = ''
  const fault = ({ number, operation, key }: StoreCall) => {
    if (dead) return 'fail'
    if (number < death.call) return undefined
    dead = true
    lastCall = `${operation} ${key}`
    // The dying process hears nothing any more: what it would do next must not matter.
    queueMicrotask(() => running.cancel())
    return death.when === 'before' ? 'fail' : 'lose-answer'
  }
  const store = new FaultyObjectStore({ inner, clock: new SystemClock(), fault })
  const { restore } = death
  const restart = { strategy: 'none' } as const
  const running = startJob(job, {
    ...options,
    store,
    restart,
    parallelism: 2,
    ...(restore === undefined ? {} : { restore }),
  })
  const { error } = await running.done
  return { died: dead, error, lastCall }
}

describe.each(['before', 'after'] as const)('death %s', when => {
  test(
    'any call to the store loses and doubles nothing',
    async () => {
      const died = new Set<string>()
      let call = 1
      for (; ; call++) {
        const counting = countingJob(size)
        const store = new MemoryStore()
        const first = await runUntilDeath(counting.job, store, { call, when })
        if (!first.died) break
        died.add(first.lastCall.replaceAll(/\d+/g, 'n'))
        const what = `call ${call}: ${first.lastCall}`
        await resume(counting.job, store, what)
        expect(() => counting.check()).not.toThrow(what)
      }
      // The moments that matter were all met.
      expect([...died]).toEqual(
        expect.arrayContaining([
          'putIfAbsent default.test/generations/n.json',
          'put default.test/generations/n.json',
          'put default.test/chk-n/_metadata',
          'list default.test/generations/',
        ]),
      )
      expect([...died].some(one => one.endsWith('.state'))).toBe(true)
      expect([...died].some(one => one.startsWith('delete'))).toBe(true)
    },
    TIMEOUT_MS,
  )

  test(
    'twice in a row, at any two calls',
    async () => {
      for (let call = 1; call < 60; call += 3) {
        const counting = countingJob(size)
        const store = new MemoryStore()
        await runUntilDeath(counting.job, store, { call, when })
        const restore = (await neverRan(store)) ? {} : { restore: 'latest' }
        const second = await runUntilDeath(counting.job, store, {
          call: (call * 7) % 41,
          when,
          ...restore,
        })
        await resume(counting.job, store, `calls ${call}, then ${second.lastCall}`)
        expect(() => counting.check()).not.toThrow(`call ${call}`)
      }
    },
    TIMEOUT_MS,
  )
})

async function neverRan(store: MemoryStore): Promise<boolean> {
  const records = await store.list('default.test/generations/')
  const texts = await Promise.all(records.map(entry => store.get(entry.key)))
  return texts.every(text => JSON.parse(text.toString()).base === null)
}

/** As a person would: on from the latest, or anew when the job never got to run. */
async function resume(
  job: Parameters<typeof startJob>[0],
  store: MemoryStore,
  what: string,
): Promise<void> {
  try {
    await runJob(job, { ...options, store, restore: 'latest', parallelism: 3 })
  } catch (error) {
    const nothing = isWeirError(error) && error.code === 'WEIR_RESTORE_NOTHING'
    if (!nothing) throw new Error(`${what}: ${String(error)}`, { cause: error })
    await runJob(job, { ...options, store, parallelism: 3 })
  }
}
