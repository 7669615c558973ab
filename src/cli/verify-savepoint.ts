/**
 * `weir savepoint verify`: reads all state that a checkpoint or savepoint names and compares its
 * checksums, so that damage is found before anyone has to begin from it. With `restore` it also
 * reads each key and timer, as a restore does. Changes nothing.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { checkpointErrors } from '../checkpoint/checkpoint-errors.ts'
import { METADATA_FILE } from '../checkpoint/checkpoint-layout.ts'
import { type CheckpointMetadata, storedSize } from '../checkpoint/checkpoint-metadata.ts'
import { readMetadata } from '../checkpoint/metadata-text.ts'
import type { Section } from '../checkpoint/snapshot-handle.ts'
import { checkSection } from '../checkpoint/state-file.ts'
import { assert } from '../common/assert.ts'
import { isWeirError } from '../common/errors.ts'
import { inParallel } from '../common/in-parallel.ts'
import { SystemRandom } from '../common/random.ts'
import { type WholeSavepoint, writeSavepointReport } from '../protocol/savepoint-report.ts'
import { EntryCounter } from '../state/entry-counter.ts'
import { stateErrors } from '../state/state-errors.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { openStore } from '../storage/open-store.ts'
import { splitLocation } from '../storage/split-location.ts'
import { type CliIo, exitCodes } from './cli-io.ts'

export interface VerifyOptions {
  readonly path: string
  /** Reads each key and timer, too. */
  readonly restore?: boolean
  /** Gets what was found, for who cannot read the output; see `protocol/savepoint-report.ts`. */
  readonly report?: string
}

/** A store far away gives much to several readers, and little to one. */
const READS_AT_ONCE = 4

/** These speak of the snapshot; a store that is away says nothing of it. */
const verdicts: ReadonlySet<string> = new Set([
  'WEIR_CHECKPOINT_CORRUPT',
  'WEIR_CHECKPOINT_FORMAT',
  'WEIR_RESTORE_NOT_FOUND',
  'WEIR_STATE_SNAPSHOT_MALFORMED',
])

interface StoredSection {
  readonly file: string
  readonly section: Section
  /** Of a key group: throws WEIR_STATE_SNAPSHOT_MALFORMED. */
  readonly count?: (bytes: Buffer) => number
}

/**
 * Throws WEIR_RESTORE_NOT_FOUND where there is none, WEIR_CHECKPOINT_CORRUPT and
 * WEIR_STATE_SNAPSHOT_MALFORMED for what is damaged or lacks, and WEIR_CHECKPOINT_FORMAT for one of
 * a newer Weir.
 */
export async function verifySavepoint(options: VerifyOptions, io: CliIo): Promise<number> {
  const { report } = options
  try {
    const { words, whole } = await readAll(options, io)
    if (report !== undefined) writeFileSync(report, writeSavepointReport(whole))
    io.out.write(`${words}\n`)
    return exitCodes.ok
  } catch (error) {
    if (report !== undefined && isWeirError(error) && verdicts.has(error.code)) {
      const { code, message } = error
      writeFileSync(report, writeSavepointReport({ error: { code, message } }))
    }
    throw error
  }
}

async function readAll({ path, restore = false }: VerifyOptions, io: CliIo) {
  const { location, name } = splitLocation(path.includes('/') ? path : `./${path}`)
  const { clock, cwd: folder } = io
  const store = openStore({ location, folder, random: new SystemRandom(), clock })
  const key = `${name}/${METADATA_FILE}`
  const text = await store.get(key).catch((error: unknown) => {
    throw isMissing(error) ? checkpointErrors.WEIR_RESTORE_NOT_FOUND({ path }, error) : error
  })
  const metadata = readMetadata(text, { path: `${location}/${key}`, previous: undefined })
  const sections = [...keyGroups(metadata), ...otherSections(metadata)]
  const counts = await inParallel(
    sections.filter(({ section }) => section.length > 0),
    { limit: READS_AT_ONCE, work: one => verify(store, { name, restore }, one) },
  )
  const { kind, checkpointId, jobId, completedAtMs, formatVersion } = metadata
  const bytes = sections.reduce((sum, { section }) => sum + section.length, 0)
  const entries = counts.reduce((sum, count) => sum + count, 0)
  const pieces = `${counts.length} pieces of state, ${bytes} bytes`
  const whole: WholeSavepoint = {
    checkpointId,
    completedAtMs,
    formatVersion,
    checksum: `sha256:${createHash('sha256').update(text).digest('hex')}`,
    sizeBytes: storedSize(metadata),
    ...(restore && { entries }),
  }
  const read = restore ? `, ${entries} keys and timers` : ''
  return { whole, words: `${kind} ${checkpointId} of ${jobId} is whole: ${pieces}${read}` }
}

interface Reading {
  /** The folder. */
  readonly name: string
  readonly restore: boolean
}

/** How many keys and timers it has; 0 where they are not looked at. */
async function verify(
  store: ObjectStore,
  { name, restore }: Reading,
  { file, section, count }: StoredSection,
): Promise<number> {
  const key = `${name}/${file}`
  const path = `${store.location}/${key}`
  const bytes = await store.getRange(key, section.offset, section.length).catch(error => {
    if (!isMissing(error)) throw error
    const damage = { file: path, reason: 'is not there', previous: undefined }
    throw checkpointErrors.WEIR_CHECKPOINT_CORRUPT(damage, error)
  })
  checkSection(bytes, section, { path, previous: undefined })
  return restore ? (count?.(bytes) ?? 0) : 0
}

function isMissing(error: unknown): boolean {
  return isWeirError(error) && error.code === 'WEIR_STORE_NOT_FOUND'
}

function keyGroups({ operators }: CheckpointMetadata): readonly StoredSection[] {
  return operators.flatMap(({ name, stateSets, subtasks }) => {
    const counters = stateSets.map(states => new EntryCounter(states))
    return subtasks.flatMap(({ keyed, privateState }) => {
      if (keyed === undefined || privateState === undefined) return []
      const counter = counters[keyed.stateSet]
      assert(counter !== undefined, 'the metadata names the states of each part')
      return keyed.groups.map(section => ({
        file: privateState.file,
        section,
        count: (bytes: Buffer) => countIn(bytes, counter, { operator: name, ...section }),
      }))
    })
  })
}

function countIn(
  bytes: Buffer,
  counter: EntryCounter,
  { operator, keyGroup }: { readonly operator: string; readonly keyGroup: number },
): number {
  try {
    return counter.count(bytes)
  } catch (error) {
    if (!isWeirError(error) || error.code !== 'WEIR_BYTES_MALFORMED') throw error
    const reason = error.message
    throw stateErrors.WEIR_STATE_SNAPSHOT_MALFORMED({ operator, keyGroup, reason }, error)
  }
}

/** Operator state, files that several checkpoints share, data in flight. */
function otherSections({ operators, edges }: CheckpointMetadata): readonly StoredSection[] {
  const state = operators
    .flatMap(({ subtasks }) => subtasks)
    .flatMap(({ privateState, operatorState, sharedState }) => {
      const file = privateState?.file
      const own = file === undefined ? [] : operatorState.map(({ section }) => ({ file, section }))
      const shared = sharedState.map(one => {
        return { file: one.file, section: { offset: 0, length: one.sizeBytes, crc: one.crc } }
      })
      return [...own, ...shared]
    })
  const inFlight = edges
    .flatMap(({ channels }) => channels)
    .flatMap(({ file, section }) => {
      return file === undefined || section === undefined ? [] : [{ file, section }]
    })
  return [...state, ...inFlight]
}
