/** Copies of state files: read when they are there and right, and never needed. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { snapshotFolder } from '../../../src/checkpoint/checkpoint-layout.ts'
import { buildMetadata } from '../../../src/checkpoint/checkpoint-metadata.ts'
import { planRestore } from '../../../src/checkpoint/restore-plan.ts'
import { LocalCopies } from '../../../src/cluster/taskmanager/local-copies.ts'
import { RestoreReader } from '../../../src/cluster/taskmanager/restore-reader.ts'
import { writeSnapshot } from '../../../src/cluster/taskmanager/snapshot-writer.ts'
import { silentLogger } from '../../../src/common/logger.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { description, emptyPart, keyedSnapshot } from '../../checkpoint/snapshot-parts.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-copies-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Counts how often a slot had to go the long way. */
class CountingStore extends MemoryStore {
  reads = 0

  override getRange(key: string, offset: number, length: number): Promise<Buffer> {
    this.reads++
    return super.getRange(key, offset, length)
  }
}

const metrics = {
  alignmentMs: 0,
  startDelayMs: 0,
  unaligned: false,
  inFlightBytes: 0,
  syncMs: 0,
  asyncMs: 0,
  recordsPerSplit: {},
}

interface Releasing {
  readonly checkpointId: number
  readonly release?: () => void
}

async function stored(store: CountingStore, copies: LocalCopies, snapshot: number | Releasing) {
  const { checkpointId, release = () => {} } =
    typeof snapshot === 'number' ? { checkpointId: snapshot } : snapshot
  const shape = { index: 0, parallelism: 1, maxParallelism: 128 }
  const keyed = { ...keyedSnapshot(shape), release }
  const items = [Buffer.from('one'), Buffer.from('two')]
  const state = { name: 'list', redistribution: 'split' as const, schema: {}, items }
  const handle = await writeSnapshot({
    store: copies.over(store),
    jobId: 'j',
    snapshot: {
      checkpointId,
      kind: 'checkpoint',
      vertexId: 'op',
      subtaskIndex: 0,
      operators: [{ ...emptyPart('op'), keyed, operatorState: [state] }],
      channels: [],
      metrics,
    },
  })
  await copies.settled()
  const operators = [description('op', 1)]
  const metadata = buildMetadata({
    kind: 'checkpoint',
    checkpointId,
    jobId: 'j',
    jobName: 'j',
    generation: 1,
    triggeredAtMs: 0,
    completedAtMs: 0,
    operators,
    subtasks: [handle],
    edges: [],
    enumerators: new Map(),
    proofBefore: undefined,
  })
  return planRestore({ metadata, path: '', operators, edges: [], dropState: [] })
}

async function restored(
  store: CountingStore,
  copies: LocalCopies | undefined,
  plan: Awaited<ReturnType<typeof stored>>,
) {
  const op = plan.operators.get('op')?.subtasks[0]
  if (op === undefined) throw new Error('the plan has a part for the slot')
  const place = { location: store.location, folder: `j/chk-${plan.checkpointId}` }
  const rest = { previous: undefined, operators: { op }, channels: {} }
  const restore = { checkpointId: plan.checkpointId, ...place, ...rest }
  const task = await new RestoreReader(store, restore, copies).read('op', ['op'])
  const found = task.operators.get('op')
  const groups = found?.keyed.flatMap(keyed => keyed.groups.map(group => group.bytes.toString()))
  const items = found?.operatorState.flatMap(one => one.items.map(String))
  return { groups, items }
}

const copiesIn = (): LocalCopies => new LocalCopies({ folder, logger: silentLogger })
const files = (): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))

test('a restore reads the copies and not the store, also for another process of the slot', async () => {
  const store = new CountingStore()
  const plan = await stored(store, copiesIn(), 3)
  const wanted = await restored(store, undefined, plan)
  expect(wanted.groups).toHaveLength(128)
  expect(wanted.items).toEqual(['one', 'two'])
  store.reads = 0
  expect(await restored(store, copiesIn(), plan)).toEqual(wanted)
  expect(store.reads).toBe(0)
})

test.each([
  ['flipped', (bytes: Buffer) => bytes.map(byte => byte ^ 1)],
  ['cut short', (bytes: Buffer) => bytes.subarray(0, 20)],
  ['empty', () => Buffer.alloc(0)],
])('LC1: a copy that is %s is passed over', async (_, damage) => {
  const store = new CountingStore()
  const plan = await stored(store, copiesIn(), 3)
  const wanted = await restored(store, undefined, plan)
  for (const file of files()) writeFileSync(file, damage(readFileSync(file)))
  store.reads = 0
  const copies = copiesIn()
  expect(await restored(store, copies, plan)).toEqual(wanted)
  expect(store.reads).toBeGreaterThan(0)
  await copies.settled()
})

test('LC1: a folder that cannot be written fails nothing', async () => {
  const store = new CountingStore()
  const blocked = join(folder, 'file')
  writeFileSync(blocked, '')
  const copies = new LocalCopies({ folder: blocked, logger: silentLogger })
  const plan = await stored(store, copies, 3)
  expect((await restored(store, copies, plan)).items).toEqual(['one', 'two'])
})

test('LC2: a snapshot is stored when the store has it, whatever becomes of the copy', async () => {
  const store = new CountingStore()
  const copies = copiesIn()
  await copies.over(store).put('j/chk-3/op-0.state', Buffer.from('state'))
  expect((await store.get('j/chk-3/op-0.state')).toString()).toBe('state')
  expect(files()).toEqual([])
  await copies.settled()
  expect(files()).toHaveLength(1)
})

test('LC2: the memory of a snapshot is given back after its copy was written', async () => {
  const found: number[] = []
  const release = (): void => void found.push(files().length)
  await stored(new CountingStore(), copiesIn(), { checkpointId: 3, release })
  expect(found).toEqual([1])
})

test('LC3: what is older than the newest completed checkpoint goes, and what was given up', async () => {
  const store = new CountingStore()
  const copies = copiesIn()
  for (const id of [3, 4, 5, 6]) await stored(store, copies, id)
  const kept = (): string[] =>
    files()
      .map(file => /chk-\d+/.exec(file)?.[0] ?? file)
      .sort()
  copies.completed(4)
  copies.aborted(6)
  await copies.settled()
  expect(kept()).toEqual(['chk-4', 'chk-5'])
  // A notification that comes late takes nothing back.
  copies.completed(3)
  await copies.settled()
  expect(kept()).toEqual(['chk-4', 'chk-5'])
})

test('checkpoints of the same number in another store are another thing', async () => {
  const store = new CountingStore()
  const plan = await stored(store, copiesIn(), 3)
  const other = new CountingStore()
  Object.defineProperty(other, 'location', { value: 'elsewhere' })
  await stored(other, new LocalCopies({ folder: join(folder, 'x'), logger: silentLogger }), 3)
  expect((await restored(other, copiesIn(), plan)).items).toEqual(['one', 'two'])
  expect(other.reads).toBeGreaterThan(0)
})

test('LC4: what was stored a moment ago is read from its copy', async () => {
  const store = new CountingStore()
  const copies = copiesIn()
  const key = 'j/chk-3/op-0.state'
  await copies.over(store).put(key, Buffer.from('state'))
  const range = { location: store.location, key, offset: 1, length: 3 }
  expect((await copies.read(range))?.toString()).toBe('tat')
})

test('bytes are free once the copy has them, and not before', async () => {
  const copies = new LocalCopies({ folder, logger: silentLogger })
  const store = new MemoryStore()
  const key = `${snapshotFolder('j', 'checkpoint', 1)}/op-0`
  const bytes = Buffer.from('state')
  await new Promise<void>((resolve, reject) => {
    copies.over(store).put(key, [bytes], resolve).catch(reject)
  })
  bytes.fill(0)
  const { location } = store
  const read = await copies.read({ location, key, offset: 0, length: 5 })
  expect(read?.toString()).toBe('state')
})
