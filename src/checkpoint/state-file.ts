/**
 * The binary file of one subtask's snapshot: a header, then sections one after the other. A section
 * is a key group of an operator, one of its operator states, or the data in flight of a channel.
 * Each has a checksum in its handle, so that damage is found before a byte of it is believed.
 *
 * Owns        the layout of the file.
 * Leaves out  what the bytes mean (`state/`), and where the file lies.
 *
 * Invariants
 *  F1  Sections lie behind the header, do not overlap, and fill the file.
 *  F2  A section is used only after its checksum was compared.
 */
import { crc32 } from 'node:zlib'
import { assert } from '../common/assert.ts'
import type { KeyedSnapshot } from '../state/keyed-state-backend.ts'
import type { OperatorStateSnapshot } from '../state/operator-state-backend.ts'
import { checkpointErrors } from './checkpoint-errors.ts'
import type {
  ChannelHandle,
  KeyedHandle,
  KeyGroupSection,
  OperatorHandle,
  OperatorStateHandle,
  Section,
} from './snapshot-handle.ts'

const HEADER = Buffer.from('weir state 1\n')

/** One operator's part of a snapshot, as the task gives it. */
export interface OperatorPart
  extends Pick<OperatorHandle, 'operatorId' | 'splits' | 'writerState' | 'committables'> {
  readonly keyed: KeyedSnapshot | undefined
  readonly operatorState: readonly OperatorStateSnapshot[]
}

/** One channel's part of a snapshot, as the task gives it. */
export interface ChannelPart extends Omit<ChannelHandle, 'section'> {
  readonly chunks: readonly Buffer[]
}

export interface EncodedStateFile {
  /** To be written one after the other; empty when there is no binary state. */
  readonly pieces: readonly Buffer[]
  readonly sizeBytes: number
  readonly operators: readonly OperatorHandle[]
  readonly channels: readonly ChannelHandle[]
}

/** Lays out a subtask's snapshot. The snapshot's buffers are taken over, not copied. */
export function encodeStateFile(
  parts: readonly OperatorPart[],
  inFlight: readonly ChannelPart[] = [],
): EncodedStateFile {
  const pieces: Buffer[] = [HEADER]
  let end = HEADER.length
  const append = (bytes: Buffer): void => {
    pieces.push(bytes)
    end += bytes.length
  }
  const operators = parts.map((part): OperatorHandle => {
    const { operatorId, splits, writerState, committables } = part
    let keyed: KeyedHandle | undefined
    if (part.keyed !== undefined) {
      keyed = { states: part.keyed.states, groups: keyGroupSections(part.keyed, end) }
      part.keyed.chunks.forEach(append)
    }
    const operatorState = part.operatorState.map((state): OperatorStateHandle => {
      const section = sectionOf(state.items, end)
      state.items.forEach(append)
      const { items, ...described } = state
      return { ...described, section, itemLengths: items.map(item => item.length) }
    })
    return { operatorId, keyed, operatorState, splits, writerState, committables }
  })
  const channels = inFlight.map(({ chunks, ...channel }): ChannelHandle => {
    if (chunks.length === 0) return { ...channel, section: undefined }
    const section = sectionOf(chunks, end)
    chunks.forEach(append)
    return { ...channel, section }
  })
  if (end === HEADER.length) return { pieces: [], sizeBytes: 0, operators, channels }
  return { pieces, sizeBytes: end, operators, channels }
}

/** Checksums go over chunk borders: a backend cuts its chunks where it likes. */
function keyGroupSections(snapshot: KeyedSnapshot, start: number): readonly KeyGroupSection[] {
  const cursor = { chunk: 0, offset: 0 }
  let position = 0
  return snapshot.groups.map(({ keyGroup, offset, length }) => {
    assert(offset === position, 'F1: the sections of a snapshot lie one after the other')
    position += length
    return { keyGroup, offset: start + offset, length, crc: crcAcross(snapshot, cursor, length) }
  })
}

function crcAcross(
  snapshot: KeyedSnapshot,
  cursor: { chunk: number; offset: number },
  length: number,
): number {
  let crc = 0
  let left = length
  while (left > 0) {
    const chunk = snapshot.chunks[cursor.chunk]
    assert(chunk !== undefined, 'F1: the sections of a snapshot lie inside its chunks')
    const taken = Math.min(left, chunk.length - cursor.offset)
    crc = crc32(chunk.subarray(cursor.offset, cursor.offset + taken), crc)
    left -= taken
    cursor.offset += taken
    if (cursor.offset === chunk.length) {
      cursor.chunk++
      cursor.offset = 0
    }
  }
  return crc
}

function sectionOf(items: readonly Buffer[], offset: number): Section {
  let crc = 0
  let length = 0
  for (const item of items) {
    crc = crc32(item, crc)
    length += item.length
  }
  return { offset, length, crc }
}

export interface CheckedFile {
  /** For the message: where the file is. */
  readonly path: string
  /** The checkpoint that can be restored instead. */
  readonly previous: string | undefined
}

/** Throws WEIR_CHECKPOINT_CORRUPT unless these are the section's bytes (F2). */
export function checkSection(bytes: Buffer, section: Section, file: CheckedFile): void {
  const { path, previous } = file
  if (bytes.length !== section.length) {
    const reason = `is truncated: ${bytes.length} of ${section.length} bytes at ${section.offset}`
    throw checkpointErrors.WEIR_CHECKPOINT_CORRUPT({ file: path, reason, previous })
  }
  if (crc32(bytes) !== section.crc) {
    const { offset, length } = section
    const reason = `is damaged: the checksum of ${length} bytes at ${offset} differs`
    throw checkpointErrors.WEIR_CHECKPOINT_CORRUPT({ file: path, reason, previous })
  }
}

/** The items of an operator state, as views into the checked section. */
export function itemsOf(bytes: Buffer, itemLengths: readonly number[]): readonly Buffer[] {
  let offset = 0
  const items = itemLengths.map(length => {
    const item = bytes.subarray(offset, offset + length)
    offset += length
    return item
  })
  assert(offset === bytes.length, 'F1: the items fill their section')
  return items
}
