/**
 * Collects the entries of one state by key group while a snapshot runs, in any order, and joins all
 * states' entries into sections in the end. Nothing already written is copied again: full buffers
 * are set aside, so that adding an entry costs the same in a snapshot of any size.
 */
import { ByteWriter } from '../common/bytes.ts'
import type { KeyGroupRange } from './key-groups.ts'
import { keyGroupOf } from './key-groups.ts'
import type { KeyedSnapshot, StateMeta } from './keyed-state-backend.ts'
import { SECTION_VERSION } from './snapshot-format.ts'

/** Buffers grow up to here, each four times the one before; few entries need a larger one. */
const CHUNK_BYTES = 64 * 1024
const FIRST_BYTES = 256
/** Room for a common entry. */
const ENTRY_BYTES = 64
/** Smaller groups are copied into one buffer: thousands of tiny ones would cost more to store. */
const JOIN_BYTES = 16 * 1024

/** The entries of one state in one key group. */
class BlockWriter {
  readonly out = new ByteWriter(FIRST_BYTES)
  readonly chunks: Buffer[] = []
  chunkBytes = 0
  count = 0

  /** Makes room for `bytes` more: nothing that was written is copied. */
  reserve(bytes: number): void {
    const { length } = this.out.buffer
    if (this.out.length + bytes <= length) return
    this.seal(Math.max(bytes, Math.min(length * 4, CHUNK_BYTES)))
  }

  seal(nextBytes: number): void {
    this.chunks.push(this.out.view())
    this.chunkBytes += this.out.length
    this.out.buffer = Buffer.allocUnsafeSlow(nextBytes)
    this.out.clear()
  }
}

/** The entries of one state. */
export class SectionWriter {
  readonly maxParallelism: number
  /** The first key group; `blocks[0]` is its block. */
  readonly start: number
  readonly blocks: (BlockWriter | undefined)[]

  constructor(maxParallelism: number, range: KeyGroupRange) {
    this.maxParallelism = maxParallelism
    this.start = range.start
    this.blocks = new Array(range.end - range.start + 1).fill(undefined)
  }

  /** The block of a key group that has none yet. */
  open(keyGroup: number): BlockWriter {
    const block = new BlockWriter()
    this.blocks[keyGroup - this.start] = block
    return block
  }

  /** Where to write the next entry, of a key with this hash. */
  begin(hash: number): ByteWriter {
    const keyGroup = keyGroupOf(hash, this.maxParallelism)
    const block = this.blocks[keyGroup - this.start] ?? this.open(keyGroup)
    block.reserve(ENTRY_BYTES)
    block.count++
    return block.out
  }
}

/** The finished snapshot: `writers[i]` holds the entries of `states[i]`. */
export function joinSections(
  states: readonly StateMeta[],
  writers: readonly SectionWriter[],
  range: KeyGroupRange,
): KeyedSnapshot {
  const groups: { keyGroup: number; offset: number; length: number }[] = []
  const chunks: Buffer[] = []
  let offset = 0
  for (let keyGroup = range.start; keyGroup <= range.end; keyGroup++) {
    const section = sectionChunks(writers, keyGroup - range.start)
    if (section.length === 0) continue
    let length = 0
    for (const chunk of section) length += chunk.length
    if (length <= JOIN_BYTES) chunks.push(Buffer.concat(section, length))
    else chunks.push(...section)
    groups.push({ keyGroup, offset, length })
    offset += length
  }
  return { states, groups, chunks }
}

function sectionChunks(writers: readonly SectionWriter[], at: number): Buffer[] {
  const chunks: Buffer[] = []
  writers.forEach((writer, state) => {
    const block = writer.blocks[at]
    if (block === undefined) return
    if (block.out.length > 0) block.seal(0)
    const header = new ByteWriter(24)
    if (chunks.length === 0) header.writeUint8(SECTION_VERSION)
    header.writeVarint(state)
    header.writeVarint(block.count)
    header.writeVarint(block.chunkBytes)
    chunks.push(header.view(), ...block.chunks)
  })
  return chunks
}
