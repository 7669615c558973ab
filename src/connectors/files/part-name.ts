/**
 * The names of the files that a file sink writes: `part-<subtask>-<epoch>-<counter>.jsonl`.
 *
 * The *epoch* of a part is one more than the checkpoint it was begun after, 0 before the first. It
 * is what makes a restore exact without any list of files: all parts of an epoch above the restored
 * checkpoint were written by attempts that the restore undoes, and no other part was.
 */
export interface PartNaming {
  readonly prefix: string
  readonly suffix: string
}

export interface PartId {
  /** Keeps runs apart that write side by side; empty where a folder belongs to one run. */
  readonly run: string
  readonly subtask: number
  readonly epoch: number
  readonly counter: number
}

export interface FoundPart extends PartId {
  readonly inProgress: boolean
}

const IN_PROGRESS = '.inprogress'

/** The name under which readers see the finished part. */
export function partName({ prefix, suffix }: PartNaming, id: PartId): string {
  const run = id.run === '' ? '' : `${id.run}-`
  return `${prefix}-${run}${id.subtask}-${id.epoch}-${id.counter}${suffix}`
}

/** Its name until it is committed: hidden from readers of the folder. */
export function inProgressName(finishedName: string): string {
  return `.${finishedName}${IN_PROGRESS}`
}

/** What a file name says, or `undefined` when no sink of this naming wrote it. */
export function parsePartName(naming: PartNaming, name: string): FoundPart | undefined {
  const inProgress = name.startsWith('.') && name.endsWith(IN_PROGRESS)
  const finished = inProgress ? name.slice(1, -IN_PROGRESS.length) : name
  const { prefix, suffix } = naming
  if (!finished.startsWith(`${prefix}-`) || !finished.endsWith(suffix)) return undefined
  const middle = finished.slice(prefix.length + 1, finished.length - suffix.length)
  const match = /^(?:([0-9a-f]{8})-)?(\d+)-(\d+)-(\d+)$/.exec(middle)
  if (match === null) return undefined
  const [, run = '', subtask, epoch, counter] = match
  return {
    run,
    subtask: Number(subtask),
    epoch: Number(epoch),
    counter: Number(counter),
    inProgress,
  }
}
