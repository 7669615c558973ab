/** Frames as a peer would send them, and a peer that is played by hand. */
import { type Duplex, duplexPair } from 'node:stream'
import { FrameReader } from '../../../src/runtime/network/frame-reader.ts'
import type { RecordBatch } from '../../../src/runtime/network/stream-item.ts'
import {
  type Frame,
  type FrameHeader,
  HEADER_BYTES,
  putHeader,
} from '../../../src/runtime/network/wire-format.ts'
import { makeFrameEncoder } from '../../../src/schema/frame-encoder.ts'
import type { Type } from '../../../src/schema/type.ts'
import { typeOf } from '../../../src/schema/type-of.ts'
import { z } from '../../../src/schema/z.ts'

export const textType = typeOf(z.string()) as Type<unknown>

export function frameBytes(
  header: Partial<FrameHeader>,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length)
  payload.copy(frame, HEADER_BYTES)
  putHeader(frame, { kind: 'data', flags: 0, channel: 0, amount: 0, ...header })
  return frame
}

export function payloadOf(...texts: readonly string[]): Buffer {
  const encoder = makeFrameEncoder(textType, { limitBytes: 1 << 20 })
  for (const text of texts) encoder.add(text, 7)
  return Buffer.from(encoder.finish())
}

export function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  new FrameReader(frame => frames.push(frame)).push(bytes)
  return frames
}

export function textsIn(batch: RecordBatch): unknown[] {
  return batch.items.filter((_, i) => i % 2 === 0)
}

/** The other end of a connection, in the hands of a test. */
export class HandPeer {
  /** To be attached. */
  readonly stream: Duplex
  readonly #own: Duplex
  #heard: Buffer[] = []

  constructor() {
    const [stream, own] = duplexPair()
    this.stream = stream
    this.#own = own
    own.on('data', (chunk: Buffer) => this.#heard.push(chunk))
    own.on('error', () => {})
  }

  async say(...frames: readonly Buffer[]): Promise<void> {
    this.#own.write(Buffer.concat(frames))
    await this.settle()
  }

  /** What was heard since it was asked last. */
  async hear(): Promise<Frame[]> {
    await this.settle()
    const bytes = Buffer.concat(this.#heard)
    this.#heard = []
    return framesIn(bytes)
  }

  async end(): Promise<void> {
    this.#own.end()
    await this.settle()
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 5; i++) await new Promise(setImmediate)
  }
}
