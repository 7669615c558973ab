/** Finds the entries of each state in the sections of a restored snapshot. */
import { ByteReader, bytesErrors } from '../common/bytes.ts'
import { SECTION_VERSION, SECTION_VERSION_MIN } from './snapshot-format.ts'

/** The entries of one state in one key group. */
export interface StateBlock {
  /** Index into the snapshot's list of states. */
  readonly state: number
  readonly count: number
  /** Bounded by the block. */
  readonly input: ByteReader
}

/** The blocks of one section. Throws WEIR_BYTES_MALFORMED. */
export function readSection(bytes: Buffer, stateCount: number): StateBlock[] {
  const input = new ByteReader(bytes)
  const blocks: StateBlock[] = []
  const version = input.readUint8()
  if (version < SECTION_VERSION_MIN || version > SECTION_VERSION)
    throw malformed(`section version ${version}`, input)
  while (input.remaining > 0) {
    const state = input.readVarint()
    if (state >= stateCount) throw malformed(`state ${state} of ${stateCount}`, input)
    const count = input.readVarint()
    const size = input.readVarint()
    input.need(size)
    const end = input.offset + size
    blocks.push({ state, count, input: new ByteReader(bytes, input.offset, end) })
    input.offset = end
  }
  return blocks
}

function malformed(what: string, input: ByteReader): Error {
  return bytesErrors.WEIR_BYTES_MALFORMED({ what, offset: input.offset })
}
