import { expect, test } from '@jest/globals'
import { generationKey } from '../../src/checkpoint/checkpoint-layout.ts'
import { generationsIn, newestGenerationIn } from '../../src/cluster/generations-in.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'

test('the generations of one job, in their order, and the newest', async () => {
  const store = new MemoryStore()
  expect(await newestGenerationIn(store, 'ns.job')).toBe(0)
  for (const generation of [2, 11, 3]) {
    await store.put(generationKey('ns.job', generation), Buffer.from('{}'))
  }
  await store.put(generationKey('ns.job-2', 40), Buffer.from('{}'))
  await store.put('ns.job/generations/notes.txt', Buffer.from(''))
  expect(await generationsIn(store, 'ns.job')).toEqual([2, 3, 11])
  expect(await newestGenerationIn(store, 'ns.job')).toBe(11)
})
