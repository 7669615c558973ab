/** Each completed checkpoint says what went in, what came out, and what it commits. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { job } from '../../src/api/job.ts'
import type { CheckpointMetadata, Proof } from '../../src/checkpoint/checkpoint-metadata.ts'
import { readSnapshot } from '../../src/cluster/jobmanager/job-store.ts'
import { fileSink } from '../../src/connectors/files/file-sink.ts'
import { json } from '../../src/schema/json-format.ts'
import { record } from '../../src/schema/record.ts'
import { z } from '../../src/schema/z.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { failOnce } from '../../src/testing/fail-once.ts'
import { runJob } from '../../src/testing/run-job.ts'
import { countingJob } from './counting-job.ts'
import { pacedSource } from './paced-source.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-proof-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const sum = (counts: Readonly<Record<string, number>> = {}): number =>
  Object.values(counts).reduce((total, count) => total + count, 0)

/** Every checkpoint of a job that kept all of them, oldest first. */
async function checkpoints(store: MemoryStore): Promise<readonly CheckpointMetadata[]> {
  const keys = (await store.list('default.test/chk-')).map(({ key }) => key)
  const folders = keys.filter(key => key.endsWith('/_metadata')).map(key => key.slice(0, -10))
  const all = await Promise.all(folders.map(one => readSnapshot(store, one, undefined)))
  return all.toSorted((a, b) => a.checkpointId - b.checkpointId)
}

test('in is out at every cut, over failures and restores', async () => {
  const store = new MemoryStore()
  const size = { records: 900, keys: 7, perCheckpoint: 60 }
  const counting = countingJob({ ...size, map: failOnce(400, 2) })
  const options = { store, checkpointEvery: 1, checkpoint: { retained: 1_000 } } as const
  const { restarts } = await runJob(counting.job, { ...options, parallelism: 2 })
  expect(restarts).toBe(2)
  const proofs = (await checkpoints(store)).map(({ proof }) => proof)
  expect(proofs.length).toBeGreaterThan(3)
  for (const { recordsPerSplit, recordsPerSink } of proofs) {
    expect(recordsPerSink.out).toBe(sum(recordsPerSplit.numbers))
  }
  expect(proofs.at(-1)?.recordsPerSink).toEqual({ out: 900 })
})

test('each file is in the proof of the checkpoint that commits it, with its rows', async () => {
  const Row = record({ n: z.int() })
  const store = new MemoryStore()
  const output = join(folder, 'rows')
  const files = job(env =>
    env
      .from(pacedSource({ records: 500, perCheckpoint: 60 }))
      .uid('numbers')
      .map(n => ({ n }))
      .returns(Row)
      .to(
        fileSink({
          path: output,
          format: json(Row),
          partitionBy: ({ n }) => `${n % 3}`,
        }),
      )
      .uid('rows'),
  )
  const checkpoint = { retained: 1_000 }
  await runJob(files, { store, parallelism: 2, checkpointEvery: 1, checkpoint })
  const committed = new Map<string, number>()
  const note = ({ recordsPerTransaction }: Proof): void => {
    const named = Object.entries(recordsPerTransaction.rows ?? {})
    for (const [file, records] of named) committed.set(file, records)
  }
  for (const { proof } of await checkpoints(store)) note(proof)
  const found = new Map(
    readdirSync(output, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && !entry.name.startsWith('.'))
      .map(entry => {
        const path = join(entry.parentPath, entry.name)
        const rows = readFileSync(path, 'utf8').trimEnd().split('\n').length
        return [path.slice(output.length + 1), rows]
      }),
  )
  expect(new Map([...committed].sort())).toEqual(new Map([...found].sort()))
  expect(sum(Object.fromEntries(committed))).toBe(500)
})
