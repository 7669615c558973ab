/** A job whose declarations changed since its checkpoint: refused before anything starts. */
import { expect, test } from '@jest/globals'
import { job } from '../../../src/api/job.ts'
import { type ValueStateDescriptor, valueState } from '../../../src/api/state-descriptor.ts'
import { checkDeclaredStates } from '../../../src/cluster/jobmanager/check-declared-states.ts'
import { readSnapshot } from '../../../src/cluster/jobmanager/job-store.ts'
import { loadRestoredJob } from '../../../src/cluster/jobmanager/restored-job.ts'
import { collectionSource } from '../../../src/connectors/collection/collection-source.ts'
import { planJob } from '../../../src/graph/build-job-graph.ts'
import { z } from '../../../src/schema/z.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { collectSink } from '../../../src/testing/collect-sink.ts'
import { runJob, startJob } from '../../../src/testing/run-job.ts'

const sink = collectSink<number>()

function summing(state: Record<string, ValueStateDescriptor<number>>, uid = 'sums', output = sink) {
  const numbers = [1, 2, 3]
  return job(env =>
    env
      .from(collectionSource(numbers))
      .uid('numbers')
      .keyBy(n => n)
      .process({
        state,
        processElement(value, context, out) {
          for (const one of Object.values(context.state)) one.update(value)
          out.collect(value)
        },
      })
      .uid(uid)
      .to(output)
      .uid('out'),
  )
}

async function stored() {
  const store = new MemoryStore()
  const { lastCheckpointPath } = await runJob(summing({ sum: valueState(z.int32()) }), { store })
  return { store, path: lastCheckpointPath as string }
}

test('the same job restores', async () => {
  const { store, path } = await stored()
  const result = await runJob(summing({ sum: valueState(z.int32()) }), { store, restore: path })
  expect(result.outcome).toBe('finished')
})

const changes: Record<
  string,
  { readonly job: ReturnType<typeof summing>; readonly error: object }
> = {
  'a state of another type': {
    job: summing({ sum: valueState(z.string()) as never }),
    error: {
      code: 'WEIR_STATE_INCOMPATIBLE',
      message: expect.stringContaining('state sum of operator'),
    },
  },
  'a state that is gone': {
    job: summing({ other: valueState(z.int32()) }),
    error: { code: 'WEIR_STATE_DROPPED', message: expect.stringContaining('sum') },
  },
  'an operator that is gone': {
    job: summing({ sum: valueState(z.int32()) }, 'renamed'),
    error: { code: 'WEIR_RESTORE_STATE_LEFT', message: expect.stringContaining('(uid sums)') },
  },
}
test.each(Object.entries(changes))('%s is refused', async (_sentence, { job: changed, error }) => {
  const { store, path } = await stored()
  const metadata = await readSnapshot(store, 'default.test/chk-1', undefined)
  const graph = planJob(changed, { name: 'test' })
  const check = () => {
    checkDeclaredStates({ graph, metadata, dropState: [] })
    return loadRestoredJob({
      graph,
      choice: {
        place: { location: 'memory', folder: 'default.test/chk-1' },
        base: { restoredFrom: path, history: [] },
        previous: undefined,
        note: undefined,
      },
      store,
      dropState: [],
    })
  }
  await expect(Promise.resolve().then(check)).rejects.toMatchObject(error)
  const written = sink.written.length
  const end = await startJob(changed, { store, restore: path }).done
  expect(end).toMatchObject({ outcome: 'failed', refused: true, error })
  expect(sink.written.length).toBe(written)
})

test.each(['latest', 'by its path'])('what is named may be left behind: %s', async which => {
  const { store, path } = await stored()
  const renamed = summing({ sum: valueState(z.int32()) }, 'renamed')
  const restore = which === 'latest' ? which : path
  const result = await runJob(renamed, { store, restore, dropState: ['sums'] })
  expect(result.outcome).toBe('finished')
})

test('a single state is left behind when it is named with its operator', async () => {
  const { store, path } = await stored()
  const other = summing({ other: valueState(z.int32()) })
  const result = await runJob(other, { store, restore: path, dropState: ['sums.sum'] })
  expect(result.outcome).toBe('finished')
})
