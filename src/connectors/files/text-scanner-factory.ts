import type { Decoder, Format } from '../../schema/format.ts'
import { isCsvFormat } from './csv-format.ts'
import type { ScannerFactory } from './file-reader.ts'
import type { FileSplit } from './file-split.ts'
import { csvFraming, type Framing, lineFraming } from './framing.ts'
import { type LineLoopSet, LineScanner, makeLineLoopSet } from './line-scanner.ts'
import type { SplitScanner } from './split-scanner.ts'

/** How the records of a format are told apart. */
export function framingOf<T>(format: Format<T>): Framing {
  if (isCsvFormat(format)) {
    return csvFraming(format.delimiter.charCodeAt(0), format.quote.charCodeAt(0))
  }
  const { kind } = format.type.schema
  // Of text and bytes the empty line is a value; of anything else it is decoration.
  return lineFraming(format.name !== 'json' && (kind === 'string' || kind === 'bytes'))
}

/** Compiles decoder and loop once; again only when a file names its columns otherwise. */
export class TextScannerFactory<T> implements ScannerFactory<T> {
  readonly #format: Format<T>
  readonly #framing: Framing
  #compiled: { readonly header: string | undefined; readonly loops: LineLoopSet<T> } | undefined

  constructor(format: Format<T>) {
    this.#format = format
    this.#framing = framingOf(format)
  }

  open(split: FileSplit, wakeUp: () => void): SplitScanner<T> {
    const { header } = split
    if (this.#compiled === undefined || this.#compiled.header !== header) {
      this.#compiled = { header, loops: makeLineLoopSet(this.#decoderOf(split), this.#framing) }
    }
    return new LineScanner(split, this.#compiled.loops, wakeUp)
  }

  async close(): Promise<void> {}

  #decoderOf({ header, path }: FileSplit): Decoder<T> {
    const format = this.#format
    return isCsvFormat(format) ? format.makeDecoder(header, path) : format.makeDecoder()
  }
}
