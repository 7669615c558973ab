/**
 * The names of a sink's transactions: `PREFIX/BASE/WRITER/RUN/SLOT`.
 *
 * BASE is the checkpoint that the attempt was restored from (0: none): so what other subtasks begin
 * now is not taken for what earlier attempts left. RUN is drawn by each writer: an attempt that was
 * given up, but goes on somewhere, cannot begin a transaction under a name that another prepared.
 * SLOT goes around, and a name is used again only when its transaction is committed and many others
 * came in between: who restores a recent checkpoint finds its transactions under their names.
 */
export interface TransactionName {
  readonly base: number
  readonly writer: number
  readonly run: string
  readonly slot: number
}

/** Names of one writer before the first is used again. */
export const SLOTS = 32

/** What the names of one sink of a job begin with. */
export function prefixOf(
  given: string | undefined,
  { jobId, operatorUid }: { readonly jobId: string; readonly operatorUid: string },
): string {
  // Two sinks may have been given the same one: they must not end each other's transactions.
  return `${given ?? jobId}/${operatorUid}`
}

/**
 * Under this name nothing is ever written: each writer takes an epoch of it before it looks for
 * what earlier ones left open, so that it can tell whether it has a successor by then.
 */
export function fenceName(prefix: string, writer: number): string {
  return `${prefix}/fence/${writer}`
}

export function writeName(prefix: string, { base, writer, run, slot }: TransactionName): string {
  return `${prefix}/${base}/${writer}/${run}/${slot}`
}

/** `undefined`: it is not a name of this prefix. */
export function readName(prefix: string, id: string): TransactionName | undefined {
  if (!id.startsWith(`${prefix}/`)) return undefined
  const [, base, writer, run, slot] =
    /^(\d+)\/(\d+)\/(\w+)\/(\d+)$/.exec(id.slice(prefix.length + 1)) ?? []
  if (base === undefined || run === undefined) return undefined
  return { base: Number(base), writer: Number(writer), run, slot: Number(slot) }
}

/** What a writer leaves in a checkpoint, for whoever restores it. */
export interface WriterState {
  readonly writer: number
  /** How many writers there were. */
  readonly writers: number
  /** Prepared, and perhaps not committed. */
  readonly pending: readonly string[]
  readonly jobId: string
  readonly prefix: string
}

export interface CleanerOptions {
  readonly base: number
  readonly subtaskIndex: number
  readonly parallelism: number
  /** The states that this subtask was restored with; of a fresh start none. */
  readonly restored: readonly WriterState[]
  readonly isRestored: boolean
}

/**
 * Whether this subtask must abort the open transaction of that name. Of all subtasks exactly one
 * does, and none aborts what the restored checkpoint holds.
 */
export function isLingering(name: TransactionName, id: string, options: CleanerOptions): boolean {
  const { base, subtaskIndex, parallelism, restored, isRestored } = options
  const isOwn = name.writer === subtaskIndex
  const isLeftOver = name.writer >= parallelism && name.writer % parallelism === subtaskIndex
  // Begun by an earlier attempt from the same checkpoint: no checkpoint holds it.
  if (name.base === base || !isRestored) return isOwn || isLeftOver
  const state = restored.find(one => one.writer === name.writer)
  if (state !== undefined) return !state.pending.includes(id)
  // A writer that the checkpoint does not know: nothing of it is prepared there.
  const first = restored.find(one => one.writer === 0)
  return first !== undefined && name.writer >= first.writers
}
