/**
 * Collects the entries of one state by key group while a snapshot runs, in any order, and joins all
 * states' entries into sections in the end. Nothing already written is copied again: full buffers
 * are set aside, so that adding an entry costs the same in a snapshot of any size.
 */
import { ByteWriter } from '../common/bytes.ts'
import { ChunkPool, FIRST_CHUNK_BYTES } from './chunk-pool.ts'
import type { KeyGroupRange } from './key-groups.ts'
import { keyGroupOf } from './key-groups.ts'
import type { KeyedSnapshot, StateMeta } from './keyed-state-backend.ts'
import { SECTION_VERSION } from './snapshot-format.ts'

/** Room for a common entry. */
const ENTRY_BYTES = 64
/** Smaller groups are copied into one buffer: thousands of tiny ones would cost more to store. */
const JOIN_BYTES = 16 * 1024

/** The entries of one state in one key group. */
class BlockWriter {
  readonly out = new ByteWriter(0)
  readonly chunks: Buffer[] = []
  chunkBytes = 0
  count = 0
  readonly #pool: ChunkPool

  constructor(pool: ChunkPool) {
    this.#pool = pool
    this.out.buffer = pool.take(FIRST_CHUNK_BYTES)
  }

  /** Makes room for `bytes` more: nothing that was written is copied. */
  reserve(bytes: number): void {
    const { buffer } = this.out
    if (this.out.length + bytes <= buffer.length) return
    this.seal()
    this.out.buffer = this.#pool.takeAfter(buffer, bytes)
    this.out.clear()
  }

  /** Sets aside what was written last. */
  seal(): void {
    if (this.out.length === 0) return
    this.chunks.push(this.out.view())
    this.chunkBytes += this.out.length
  }
}

/** The entries of one state. */
export class SectionWriter {
  readonly maxParallelism: number
  /** The first key group; `blocks[0]` is its block. */
  readonly start: number
  readonly blocks: (BlockWriter | undefined)[]
  readonly #pool: ChunkPool

  constructor(maxParallelism: number, range: KeyGroupRange, pool = new ChunkPool()) {
    this.maxParallelism = maxParallelism
    this.#pool = pool
    this.start = range.start
    this.blocks = new Array(range.end - range.start + 1).fill(undefined)
  }

  /** The block of a key group that has none yet. */
  open(keyGroup: number): BlockWriter {
    const block = new BlockWriter(this.#pool)
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

  /** Gives the memory back, once nobody reads what was written (CP1). */
  release(): void {
    for (const block of this.blocks) block?.chunks.forEach(chunk => this.#pool.give(chunk))
    this.blocks.fill(undefined)
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
    else for (const chunk of section) chunks.push(chunk)
    groups.push({ keyGroup, offset, length })
    offset += length
  }
  const release = (): void => writers.forEach(writer => writer.release())
  return { states, groups, chunks, release }
}

function sectionChunks(writers: readonly SectionWriter[], at: number): Buffer[] {
  const chunks: Buffer[] = []
  writers.forEach((writer, state) => {
    const block = writer.blocks[at]
    if (block === undefined) return
    block.seal()
    const header = new ByteWriter(24)
    if (chunks.length === 0) header.writeUint8(SECTION_VERSION)
    header.writeVarint(state)
    header.writeVarint(block.count)
    header.writeVarint(block.chunkBytes)
    chunks.push(header.view(), ...block.chunks)
  })
  return chunks
}
