/** Whether a stored savepoint is whole, by reading all of it. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { buildMetadata } from '../../src/checkpoint/checkpoint-metadata.ts'
import { writeMetadata } from '../../src/checkpoint/metadata-text.ts'
import { verifySavepoint } from '../../src/cli/verify-savepoint.ts'
import { readSavepointReport } from '../../src/protocol/savepoint-report.ts'
import {
  description,
  emptyPart,
  keyedSnapshot,
  subtaskHandle,
} from '../checkpoint/snapshot-parts.ts'
import { cliTestIo } from './cli-test-io.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-verify-'))
const stateFile = join(folder, 'totals-1.state')

/** Of two subtasks with four key groups each. */
beforeEach(() => {
  const parts = [0, 1].map(index => {
    const keyed = keyedSnapshot({ index, parallelism: 2, maxParallelism: 8 })
    const part = { ...emptyPart('totals'), keyed }
    const { handle, bytes } = subtaskHandle('totals', index, { parts: [part] })
    writeFileSync(join(folder, handle.file ?? ''), bytes)
    return handle
  })
  const metadata = buildMetadata({
    kind: 'savepoint',
    checkpointId: 7,
    jobId: 'default.bank',
    jobName: 'bank',
    generation: 1,
    triggeredAtMs: 1,
    completedAtMs: 2,
    operators: [description('totals', 2)],
    subtasks: parts,
    edges: [],
    enumerators: new Map(),
    proofBefore: undefined,
  })
  writeFileSync(join(folder, '_metadata'), writeMetadata(metadata))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const io = () => cliTestIo({ cwd: folder })
const verify = (path = folder) => verifySavepoint({ path }, cliTestIo({ cwd: folder }))

test('one that is whole says what was read', async () => {
  const io = cliTestIo({ cwd: folder })
  expect(await verifySavepoint({ path: folder }, io)).toBe(0)
  expect(io.written.out).toBe('savepoint 7 of default.bank is whole: 8 pieces of state, 24 bytes\n')
})

test('a changed byte of state is found, and named by its file', async () => {
  const bytes = readFileSync(stateFile)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  writeFileSync(stateFile, bytes)
  await expect(verify()).rejects.toMatchObject({
    code: 'WEIR_CHECKPOINT_CORRUPT',
    message: expect.stringMatching(/totals-1\.state.* is damaged: the checksum of 3 bytes/),
  })
})

test('so is a file that is cut, or lacks', async () => {
  writeFileSync(stateFile, readFileSync(stateFile).subarray(0, -1))
  await expect(verify()).rejects.toMatchObject({
    code: 'WEIR_CHECKPOINT_CORRUPT',
    message: expect.stringContaining('is truncated'),
  })
  rmSync(stateFile)
  await expect(verify()).rejects.toMatchObject({
    code: 'WEIR_CHECKPOINT_CORRUPT',
    message: expect.stringContaining('is not there'),
  })
})

test('a folder that holds none is told from one that is damaged', async () => {
  await expect(verify(`${folder}/nothing`)).rejects.toMatchObject({
    code: 'WEIR_RESTORE_NOT_FOUND',
  })
})

test('--restore reads what the checksums cover, and says what no restore could read', async () => {
  // Bytes as they were written, though no backend wrote them.
  await expect(verifySavepoint({ path: folder, restore: true }, io())).rejects.toMatchObject({
    code: 'WEIR_STATE_SNAPSHOT_MALFORMED',
    message: expect.stringMatching(
      /operator totals in key group \d cannot be read: .*section version/,
    ),
  })
})

describe('the report', () => {
  const report = join(folder, 'report.json')
  const reported = () => readSavepointReport(readFileSync(report, 'utf8'))
  beforeEach(() => rmSync(report, { force: true }))

  test('says what is there', async () => {
    expect(await verifySavepoint({ path: folder, report }, io())).toBe(0)
    const text = readFileSync(join(folder, '_metadata'))
    expect(reported()).toEqual({
      checkpointId: 7,
      completedAtMs: 2,
      formatVersion: 1,
      checksum: `sha256:${createHash('sha256').update(text).digest('hex')}`,
      sizeBytes: 50,
    })
  })

  test('says what is wrong', async () => {
    rmSync(stateFile)
    await expect(verifySavepoint({ path: folder, report }, io())).rejects.toThrow()
    expect(reported()).toMatchObject({ error: { code: 'WEIR_CHECKPOINT_CORRUPT' } })
  })

  test('says nothing where the store cannot be read', async () => {
    rmSync(stateFile)
    mkdirSync(stateFile)
    await expect(verifySavepoint({ path: folder, report }, io())).rejects.toMatchObject({
      code: expect.stringMatching(/^WEIR_STORE_/),
    })
    rmSync(stateFile, { recursive: true })
    expect(() => reported()).toThrow(/ENOENT/)
  })
})
