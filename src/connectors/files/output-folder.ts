/**
 * What a writer finds in its folder when it starts, and what it must remove so that the output is
 * exactly that of a run without a failure. Decided purely, then done.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileErrors, reasonOf } from './file-errors.ts'
import { type FoundPart, type PartNaming, parsePartName } from './part-name.ts'

/** What a run that is not restored does with the finished files of an earlier one. */
export type OnExisting = 'fail' | 'replace' | 'append'

export interface WriterStart {
  readonly naming: PartNaming
  readonly onExisting: OnExisting
  readonly subtaskIndex: number
  readonly parallelism: number
  readonly attempt: number
  readonly restoredCheckpointId: number | undefined
  /** With `append`: the marks under which the restored writers wrote. */
  readonly runs: readonly string[]
  /**
   * With `append`: the mark of a writer that had no state at the checkpoint it was restored from.
   */
  readonly derivedRun: (checkpointId: number, subtask: number) => string
}

export interface OutputPart extends FoundPart {
  /** Relative to the output folder. */
  readonly file: string
}

export type StartDecision =
  | { readonly kind: 'refuse'; readonly file: string }
  | { readonly kind: 'start'; readonly remove: readonly string[] }

/** The epoch of the parts that are begun now; earlier attempts that are undone had no lower one. */
export function firstEpoch(restoredCheckpointId: number | undefined): number {
  return restoredCheckpointId === undefined ? 0 : restoredCheckpointId + 1
}

export function decideStart(start: WriterStart, parts: readonly OutputPart[]): StartDecision {
  const isFirst = start.restoredCheckpointId === undefined && start.attempt === 0
  if (isFirst && start.onExisting === 'append') return { kind: 'start', remove: [] }
  const finished = parts.find(part => !part.inProgress)
  if (isFirst && start.onExisting === 'fail' && finished !== undefined) {
    return { kind: 'refuse', file: finished.file }
  }
  const epoch = firstEpoch(start.restoredCheckpointId)
  const undone = parts.filter(part => part.epoch >= epoch && isOwn(start, part))
  return { kind: 'start', remove: undone.map(part => part.file) }
}

/** Each part is looked after by one writer, also when there were more of them before. */
function isOwn(start: WriterStart, part: OutputPart): boolean {
  const { onExisting, runs, subtaskIndex, parallelism } = start
  if (onExisting === 'append' && runs.includes(part.run)) return true
  if (part.subtask % parallelism !== subtaskIndex) return false
  return onExisting === 'append' ? isDerived(start, part) : part.run === ''
}

/** Was the part written by a writer that an undone rescale had added? */
function isDerived(start: WriterStart, { run, subtask, epoch }: OutputPart): boolean {
  if (start.restoredCheckpointId === undefined) return false
  for (let id = start.restoredCheckpointId; id < epoch; id++) {
    if (run === start.derivedRun(id, subtask)) return true
  }
  return false
}

/** Makes the folder ready. Throws WEIR_FILE_OUTPUT_NOT_EMPTY, WEIR_FILE_WRITE_FAILED. */
export async function prepareFolder(path: string, start: WriterStart): Promise<void> {
  const parts = await readParts(path, start.naming)
  const decision = decideStart(start, parts)
  if (decision.kind === 'refuse') {
    throw fileErrors.WEIR_FILE_OUTPUT_NOT_EMPTY({ path, file: decision.file })
  }
  try {
    for (const file of decision.remove) await rm(join(path, file), { force: true })
  } catch (error) {
    throw fileErrors.WEIR_FILE_WRITE_FAILED({ path, reason: reasonOf(error) }, error)
  }
}

async function readParts(path: string, naming: PartNaming): Promise<readonly OutputPart[]> {
  try {
    await mkdir(path, { recursive: true })
    const entries = await readdir(path, { recursive: true, withFileTypes: true })
    return entries.flatMap(entry => {
      const found = entry.isFile() ? parsePartName(naming, entry.name) : undefined
      if (found === undefined) return []
      return [{ ...found, file: relative(path, join(entry.parentPath, entry.name)) }]
    })
  } catch (error) {
    throw fileErrors.WEIR_FILE_WRITE_FAILED({ path, reason: reasonOf(error) }, error)
  }
}
