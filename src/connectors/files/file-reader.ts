/**
 * Reads one split after the other. The next is asked for when one is finished, not before: a split
 * that waits here unread would hold event time back.
 */
import type { PollResult, ReaderContext, SourceOutput, SourceReader } from '../../api/source.ts'
import type { FileSplit } from './file-split.ts'
import type { SplitScanner } from './split-scanner.ts'

/** Opens splits of one layout; one per reader, so that compiled code is shared by its splits. */
export interface ScannerFactory<T> {
  open(split: FileSplit, wakeUp: () => void): SplitScanner<T>
  close(): Promise<void>
}

interface OpenSplit<T> {
  readonly split: FileSplit
  readonly scanner: SplitScanner<T>
}

export class FileReader<T> implements SourceReader<T, FileSplit> {
  readonly #context: ReaderContext
  readonly #scanners: ScannerFactory<T>
  readonly #paused = new Set<string>()
  readonly #closing = new Set<Promise<void>>()
  #queue: FileSplit[] = []
  #current: OpenSplit<T> | undefined
  #asked = false
  #noMoreSplits = false
  #closed = false

  constructor(context: ReaderContext, scanners: ScannerFactory<T>) {
    this.#context = context
    this.#scanners = scanners
  }

  start(): void {
    this.#askForMore()
  }

  addSplits(splits: readonly FileSplit[]): void {
    this.#asked = false
    this.#queue.push(...splits)
    this.#context.wakeUp()
  }

  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true
    this.#context.wakeUp()
  }

  poll(output: SourceOutput<T>): PollResult {
    this.#current ??= this.#openNext()
    if (this.#current === undefined) {
      return this.#closed || (this.#noMoreSplits && this.#queue.length === 0) ? 'end' : 'nothing'
    }
    const { split, scanner } = this.#current
    if (this.#paused.has(split.id)) return 'nothing'
    output.selectSplit(split.id)
    const result = scanner.emit(output)
    if (result !== 'end') return result
    output.finishSplit(split.id)
    this.#current = undefined
    this.#closeLater(scanner)
    this.#askForMore()
    return this.#noMoreSplits && this.#queue.length === 0 ? 'end' : 'more'
  }

  snapshotState(): readonly FileSplit[] {
    if (this.#current === undefined) return [...this.#queue]
    const { split, scanner } = this.#current
    return [{ ...split, position: scanner.position }, ...this.#queue]
  }

  pauseOrResumeSplits(pause: readonly string[], resume: readonly string[]): void {
    for (const id of pause) this.#paused.add(id)
    for (const id of resume) this.#paused.delete(id)
    this.#context.wakeUp()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#queue = []
    if (this.#current !== undefined) this.#closeLater(this.#current.scanner)
    this.#current = undefined
    await Promise.all(this.#closing)
    await this.#scanners.close()
  }

  #openNext(): OpenSplit<T> | undefined {
    const split = this.#queue.shift()
    if (split === undefined) return undefined
    return { split, scanner: this.#scanners.open(split, this.#context.wakeUp) }
  }

  #askForMore(): void {
    if (this.#asked || this.#noMoreSplits || this.#queue.length > 0) return
    this.#asked = true
    this.#context.requestSplit()
  }

  /** A file that cannot be closed has been read all the same. */
  #closeLater(scanner: SplitScanner<T>): void {
    const closing = scanner.close().catch(() => {})
    this.#closing.add(closing)
    void closing.then(() => this.#closing.delete(closing))
  }
}
