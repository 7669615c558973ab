/**
 * Encoded values, kept outside the garbage-collected heap: however many there are, a collection
 * never visits them.
 *
 * Owns        blocks of memory, and which pieces of them are free.
 * Leaves out  what the bytes mean.
 *
 * A record's address counts units of 8 bytes over all blocks, so that 32 bits reach 32 GB. Pieces
 * come in size classes, about four to a doubling; a freed piece is reused for the next record of
 * its class. Nothing is ever moved: a change of size reuses or frees, and no pause is needed to
 * compact.
 *
 * Invariants
 *  R1  A piece is live or on the free list of its class, never both.
 */
import { assert } from '../../common/assert.ts'
import { ByteReader, type ByteWriter } from '../../common/bytes.ts'

const UNIT_SHIFT = 3
const BLOCK_UNITS_SHIFT = 15
/** 256 kB: a table with a few values wastes little. */
const BLOCK_BYTES = 1 << (BLOCK_UNITS_SHIFT + UNIT_SHIFT)
const BLOCK_UNIT_MASK = (1 << BLOCK_UNITS_SHIFT) - 1
const FIRST_BLOCK_BYTES = 1024
/** Before the bytes of a record: their count. */
const HEADER_BYTES = 4
/** Up to this length a loop over the bytes beats one native call. */
const LOOP_MAX = 64
/** Larger records get a block of their own. */
const SHARED_MAX = BLOCK_BYTES / 4

export class RecordArena {
  readonly #blocks: (Buffer | undefined)[] = []
  readonly #readers: (ByteReader | undefined)[] = []
  /** The last freed piece of each class; a freed piece holds the address of the one before. */
  readonly #free: number[] = []
  readonly #freeBlocks: number[] = []
  /** The block that new pieces are cut from, and the bytes already used of it. */
  #block = -1
  #used = 0
  #bytes = 0

  /** Keeps a copy of the first `length` bytes; gives its address, never 0. */
  add(bytes: Buffer, length: number): number {
    const address = this.#allocate(length)
    this.#write(address, bytes, length)
    return address
  }

  /** Replaces a record, in place where the new bytes need as much room. */
  replace(address: number, bytes: Buffer, length: number): number {
    if (classOf(this.#lengthAt(address)) === classOf(length) && length <= SHARED_MAX) {
      this.#write(address, bytes, length)
      return address
    }
    this.free(address)
    return this.add(bytes, length)
  }

  free(address: number): void {
    const length = this.#lengthAt(address)
    const index = blockOf(address)
    if (length > SHARED_MAX) {
      this.#bytes -= (this.#blocks[index] as Buffer).length
      this.#blocks[index] = undefined
      this.#readers[index] = undefined
      this.#freeBlocks.push(index)
      return
    }
    const size = classOf(length)
    ;(this.#blocks[index] as Buffer).writeUInt32LE(this.#free[size] ?? 0, offsetOf(address))
    this.#free[size] = address >>> 0
  }

  /** A reader at the record's first byte; valid until the next call. */
  readerAt(address: number): ByteReader {
    const reader = this.#readers[blockOf(address)] as ByteReader
    reader.offset = offsetOf(address) + HEADER_BYTES
    return reader
  }

  /** Appends the bytes of a record. */
  copyTo(out: ByteWriter, address: number): void {
    const block = this.#blocks[blockOf(address)] as Buffer
    const from = offsetOf(address) + HEADER_BYTES
    const length = block.readUInt32LE(from - HEADER_BYTES)
    out.reserve(length)
    const { buffer, length: at } = out
    if (length <= LOOP_MAX)
      for (let i = 0; i < length; i++) buffer[at + i] = block[from + i] as number
    else block.copy(buffer, at, from, from + length)
    out.length = at + length
  }

  get bytes(): number {
    return this.#bytes
  }

  #lengthAt(address: number): number {
    return (this.#blocks[blockOf(address)] as Buffer).readUInt32LE(offsetOf(address))
  }

  #write(address: number, bytes: Buffer, length: number): void {
    const block = this.#blocks[blockOf(address)] as Buffer
    const offset = block.writeUInt32LE(length, offsetOf(address))
    bytes.copy(block, offset, 0, length)
  }

  #allocate(length: number): number {
    if (length > SHARED_MAX) {
      return addressOf(this.#addBlock(FIRST_OFFSET + HEADER_BYTES + length), FIRST_OFFSET)
    }
    const size = classOf(length)
    const free = this.#free[size] ?? 0
    if (free !== 0) {
      this.#free[size] = (this.#blocks[blockOf(free)] as Buffer).readUInt32LE(offsetOf(free))
      return free
    }
    const bytes = bytesOfClass(size)
    const block = this.#blocks[this.#block]
    if (block === undefined || this.#used + bytes > block.length) {
      const next = this.#blocks.length === 0 ? FIRST_BLOCK_BYTES : BLOCK_BYTES
      this.#block = this.#addBlock(Math.max(next, Math.min(bytes * 4, BLOCK_BYTES)))
      this.#used = FIRST_OFFSET
    }
    const address = addressOf(this.#block, this.#used)
    this.#used += bytes
    return address
  }

  #addBlock(bytes: number): number {
    const index = this.#freeBlocks.pop() ?? this.#blocks.length
    assert(index < 1 << (32 - BLOCK_UNITS_SHIFT), 'R1: a table holds less than 32 GB')
    const block = Buffer.allocUnsafeSlow(bytes)
    this.#blocks[index] = block
    this.#readers[index] = new ByteReader(block)
    this.#bytes += bytes
    return index
  }
}

/** Nothing is at address 0: it means none. */
const FIRST_OFFSET = 1 << UNIT_SHIFT

function addressOf(block: number, offset: number): number {
  return ((block << BLOCK_UNITS_SHIFT) | (offset >>> UNIT_SHIFT)) >>> 0
}

function blockOf(address: number): number {
  return address >>> BLOCK_UNITS_SHIFT
}

function offsetOf(address: number): number {
  return (address & BLOCK_UNIT_MASK) << UNIT_SHIFT
}

/** Classes of 8 bytes more up to 64 bytes, then four to each doubling. */
function classOf(length: number): number {
  const units = (length + HEADER_BYTES + 7) >>> UNIT_SHIFT
  if (units <= 8) return units
  const log = 31 - Math.clz32(units - 1)
  return 8 + (log - 3) * 4 + (((units - 1) >>> (log - 2)) & 3) + 1
}

function bytesOfClass(size: number): number {
  if (size <= 8) return size << UNIT_SHIFT
  const log = ((size - 9) >>> 2) + 3
  const quarter = (size - 9) & 3
  return ((1 << log) + ((quarter + 1) << (log - 2))) << UNIT_SHIFT
}
