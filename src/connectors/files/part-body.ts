/** What a part holds: records, turned into the bytes of its file. */
import type { Encoder } from '../../schema/format.ts'
import type { PartFile } from './part-file.ts'

export interface PartBody<IN> {
  /** Adds a record, or throws and leaves the part as it was. */
  write(value: IN): void
  /** Called once, after the last record: what the file ends with. */
  close(): void
}

export type MakePartBody<IN> = (part: PartFile) => PartBody<IN>

const LINE_FEED = 0x0a

export interface LineOptions<IN> {
  readonly encoder: Encoder<IN>
  /** The first line of each part. */
  readonly header: string | undefined
}

/** A record a line. */
export function lineBodies<IN>({ encoder, header }: LineOptions<IN>): MakePartBody<IN> {
  return part => {
    if (header !== undefined) part.out.writeBytes(Buffer.from(`${header}\n`))
    return new LineBody(part, encoder)
  }
}

class LineBody<IN> implements PartBody<IN> {
  readonly #part: PartFile
  readonly #encoder: Encoder<IN>

  constructor(part: PartFile, encoder: Encoder<IN>) {
    this.#part = part
    this.#encoder = encoder
  }

  write(value: IN): void {
    const { out } = this.#part
    const before = out.length
    try {
      this.#encoder.write(out, value)
    } catch (error) {
      // Half a record must not stay in the file.
      out.length = before
      throw error
    }
    out.writeUint8(LINE_FEED)
  }

  close(): void {}
}
