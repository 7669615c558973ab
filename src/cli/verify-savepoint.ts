/**
 * `weir savepoint verify`: reads all state that a checkpoint or savepoint names and compares its
 * checksums, so that damage is found before anyone has to begin from it. Changes nothing.
 */
import { checkpointErrors } from '../checkpoint/checkpoint-errors.ts'
import type { CheckpointMetadata } from '../checkpoint/checkpoint-metadata.ts'
import type { Section } from '../checkpoint/snapshot-handle.ts'
import { checkSection } from '../checkpoint/state-file.ts'
import { readSnapshot } from '../cluster/jobmanager/job-store.ts'
import { isWeirError } from '../common/errors.ts'
import { inParallel } from '../common/in-parallel.ts'
import { SystemRandom } from '../common/random.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { openStore } from '../storage/open-store.ts'
import { splitLocation } from '../storage/split-location.ts'
import { type CliIo, exitCodes } from './cli-io.ts'

/** A store far away gives much to several readers, and little to one. */
const READS_AT_ONCE = 4

interface StoredSection {
  readonly file: string
  readonly section: Section
}

/**
 * Throws WEIR_RESTORE_NOT_FOUND where there is none, WEIR_CHECKPOINT_CORRUPT for what is damaged
 * or lacks, and WEIR_CHECKPOINT_FORMAT for one of a newer Weir.
 */
export async function verifySavepoint(path: string, io: CliIo): Promise<number> {
  const { location, name } = splitLocation(path.includes('/') ? path : `./${path}`)
  const { clock, cwd: folder } = io
  const store = openStore({ location, folder, random: new SystemRandom(), clock })
  const metadata = await readSnapshot(store, name, undefined).catch((error: unknown) => {
    throw isMissing(error) ? checkpointErrors.WEIR_RESTORE_NOT_FOUND({ path }, error) : error
  })
  const sections = sectionsOf(metadata)
  await inParallel(sections, {
    limit: READS_AT_ONCE,
    work: one => verify(store, `${name}/${one.file}`, one.section),
  })
  const bytes = sections.reduce((sum, { section }) => sum + section.length, 0)
  const { kind, checkpointId, jobId } = metadata
  const all = `${sections.length} pieces of state, ${bytes} bytes`
  io.out.write(`${kind} ${checkpointId} of ${jobId} is whole: ${all}\n`)
  return exitCodes.ok
}

async function verify(store: ObjectStore, key: string, section: Section): Promise<void> {
  const path = `${store.location}/${key}`
  const bytes = await store.getRange(key, section.offset, section.length).catch(error => {
    if (!isMissing(error)) throw error
    const damage = { file: path, reason: 'is not there', previous: undefined }
    throw checkpointErrors.WEIR_CHECKPOINT_CORRUPT(damage, error)
  })
  checkSection(bytes, section, { path, previous: undefined })
}

function isMissing(error: unknown): boolean {
  return isWeirError(error) && error.code === 'WEIR_STORE_NOT_FOUND'
}

function sectionsOf({ operators, edges }: CheckpointMetadata): readonly StoredSection[] {
  const state = operators
    .flatMap(({ subtasks }) => subtasks)
    .flatMap(({ privateState, keyed, operatorState, sharedState }) => {
      const own = [...(keyed?.groups ?? []), ...operatorState.map(({ section }) => section)]
      const file = privateState?.file
      const shared = sharedState.map(one => {
        return { file: one.file, section: { offset: 0, length: one.sizeBytes, crc: one.crc } }
      })
      return [...(file === undefined ? [] : own.map(section => ({ file, section }))), ...shared]
    })
  const inFlight = edges
    .flatMap(({ channels }) => channels)
    .flatMap(({ file, section }) => {
      return file === undefined || section === undefined ? [] : [{ file, section }]
    })
  return [...state, ...inFlight].filter(({ section }) => section.length > 0)
}
