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
        previous: undefined,
      },
      store,
      jobId: 'default.test',
      request: { kind: 'path', path },
    })
  }
  await expect(Promise.resolve().then(check)).rejects.toMatchObject(error)
  const written = sink.written.length
  const end = await startJob(changed, { store, restore: path }).done
  expect(end).toMatchObject({ outcome: 'failed', refused: true, error })
  expect(sink.written.length).toBe(written)
})

test('state of its own operator that does not fit is given up where that was asked for', async () => {
  const { store, path } = await stored()
  const changed = summing({ sum: valueState(z.string()) as never, other: valueState(z.int32()) })
  const options = { store, restore: path, dropState: ['sums', 'sum'] }
  const { outcome, notices } = await runJob(changed, options)
  expect(outcome).toBe('finished')
  expect(notices.map(({ text }) => text)).toEqual([
    `restored from ${path}`,
    expect.stringMatching(/^the state of .* is given up, as was asked for: .*state sum/),
    'nothing to drop: the snapshot has no operator with uid sum',
  ])
  // A state that the operator no longer declares goes alone.
  const fewer = summing({ other: valueState(z.int32()) })
  const again = await runJob(fewer, { store, restore: 'latest', dropState: ['sums'] })
  expect(again.outcome).toBe('finished')
})

test('state that fits is kept, although it may be given up', async () => {
  const { store, path } = await stored()
  const same = summing({ sum: valueState(z.int32()) })
  const { notices } = await runJob(same, { store, restore: path, dropState: ['sums'] })
  expect(notices.map(({ text }) => text)).toEqual([`restored from ${path}`])
})

test('a checkpoint of another job is restored only where that job is named', async () => {
  const { store, path } = await stored()
  const same = summing({ sum: valueState(z.int32()) })
  const options = { store, restore: path, name: 'copy' }
  const refused = expect.objectContaining({ code: 'WEIR_RESTORE_OTHER_JOB' })
  await expect(runJob(same, options)).rejects.toEqual(refused)
  await expect(runJob(same, { ...options, fromJob: 'default.tset' })).rejects.toEqual(refused)
  expect((await store.list('default.copy/')).length).toBe(0)
  const { outcome } = await runJob(same, { ...options, fromJob: 'default.test' })
  expect(outcome).toBe('finished')
  // From then on it is its own.
  expect((await runJob(same, { store, name: 'copy', restore: 'latest' })).outcome).toBe('finished')
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
