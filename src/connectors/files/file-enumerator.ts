/**
 * Lists the files and hands their splits out on request, in order. With `watchMs` it lists again
 * and again and hands out what is new: then the input has no end.
 */
import { resolve } from 'node:path'
import type { EnumeratorContext, JsonValue, SplitEnumerator } from '../../api/source.ts'
import type { TimerHandle } from '../../common/clock.ts'
import { fileErrors } from './file-errors.ts'
import { isPattern, type ListedFile, listFiles } from './file-listing.ts'
import type { FileSplit } from './file-split.ts'
import { SeenFiles } from './seen-files.ts'

export interface FileEnumeratorOptions {
  readonly paths: readonly string[]
  /** `undefined`: the files are listed once. */
  readonly watchMs: number | undefined
  /** See `SeenFiles`. */
  readonly forgetMs?: number | undefined
  readonly planSplits: (file: ListedFile) => Promise<readonly FileSplit[]>
}

interface EnumeratorState {
  readonly waiting: readonly FileSplit[]
  /** The files split so far; `null` before the first listing. */
  readonly seen: readonly string[] | null
}

export class FileEnumerator implements SplitEnumerator<FileSplit> {
  readonly #context: EnumeratorContext<FileSplit>
  readonly #options: FileEnumeratorOptions
  #waiting: FileSplit[]
  /** Those before are handed out: taking them off one by one would move all others each time. */
  #next = 0
  readonly #idleReaders = new Set<number>()
  readonly #seen: SeenFiles
  #listed: boolean
  #timer: TimerHandle | undefined
  #closed = false

  constructor(
    context: EnumeratorContext<FileSplit>,
    options: FileEnumeratorOptions,
    restored: JsonValue | undefined,
  ) {
    const state = restored as unknown as EnumeratorState | undefined
    this.#context = context
    this.#options = options
    this.#waiting = [...(state?.waiting ?? [])]
    this.#seen = new SeenFiles(state?.seen ?? [], options.forgetMs)
    this.#listed = state !== undefined && state.seen !== null
  }

  async start(): Promise<void> {
    if (!this.#listed) await this.#list()
    this.#scheduleListing()
    this.#handOut()
  }

  addReader(): void {}

  handleSplitRequest(subtaskIndex: number): void {
    this.#idleReaders.add(subtaskIndex)
    this.#handOut()
  }

  addSplitsBack(splits: readonly FileSplit[], subtaskIndex: number): void {
    // The failed reader will ask again when it is back.
    this.#idleReaders.delete(subtaskIndex)
    this.#waiting = [...splits, ...this.#waiting.slice(this.#next)]
    this.#next = 0
    this.#handOut()
  }

  snapshotState(): JsonValue {
    const seen = this.#listed ? this.#seen.paths : null
    return { waiting: this.#waiting.slice(this.#next), seen } as unknown as JsonValue
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  async #list(): Promise<void> {
    const files = await listFiles(this.#options.paths)
    if (files.length === 0) this.#refuseEmptyPattern()
    for (const file of files) {
      if (this.#seen.has(file.path)) continue
      const splits = await this.#options.planSplits(file)
      this.#seen.add(file.path)
      this.#waiting.push(...splits)
    }
    this.#listed = true
    const waiting = new Set(this.#waiting.slice(this.#next).map(split => split.path))
    const found = new Set(files.map(file => file.path))
    this.#seen.listed(found, this.#context.clock.monotonic(), path => waiting.has(path))
  }

  /** An empty folder is an input without records; a pattern that nothing matches is a slip. */
  #refuseEmptyPattern(): void {
    const { paths, watchMs } = this.#options
    const path = paths.find(isPattern)
    if (path === undefined || watchMs !== undefined) return
    throw fileErrors.WEIR_FILE_PATTERN_EMPTY({ path, folder: resolve('.') })
  }

  #scheduleListing(): void {
    const { watchMs } = this.#options
    if (watchMs === undefined || this.#closed) return
    this.#timer = this.#context.clock.schedule(watchMs, () => {
      this.#list().then(
        () => {
          this.#handOut()
          this.#scheduleListing()
        },
        error => this.#context.fail(error),
      )
    })
  }

  #handOut(): void {
    if (!this.#listed) return
    for (const subtaskIndex of this.#idleReaders) {
      const split = this.#takeNext()
      if (split !== undefined) this.#context.assignSplit(split, subtaskIndex)
      else if (this.#options.watchMs === undefined) this.#context.signalNoMoreSplits(subtaskIndex)
      else return
      this.#idleReaders.delete(subtaskIndex)
    }
  }

  #takeNext(): FileSplit | undefined {
    const split = this.#waiting[this.#next++]
    if (split !== undefined) return split
    this.#waiting = []
    this.#next = 0
    return undefined
  }
}
