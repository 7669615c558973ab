/**
 * Turns the handles of a restore plan into the bytes that a task gets. Neighbouring sections are
 * read together; each is checked before it is used.
 */

import type { ChannelPiece } from '../../checkpoint/channel-plan.ts'
import { checkpointErrors } from '../../checkpoint/checkpoint-errors.ts'
import type { OperatorStatePiece } from '../../checkpoint/operator-state-pieces.ts'
import type { KeyedPiece, SubtaskRestore } from '../../checkpoint/restore-plan.ts'
import type { Section } from '../../checkpoint/snapshot-handle.ts'
import { type CheckedFile, checkSection, itemsOf } from '../../checkpoint/state-file.ts'
import { isWeirError } from '../../common/errors.ts'
import { inParallel } from '../../common/in-parallel.ts'
import type { ChannelRestore, OperatorRestore, TaskRestore } from '../../runtime/task-contract.ts'
import type { RestoredKeyedState, RestoredKeyGroup } from '../../state/keyed-state-backend.ts'
import type { OperatorStateSnapshot } from '../../state/operator-state-backend.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { markOf } from '../channel-marks.ts'
import type { SlotRestore } from '../slot-messages.ts'
import type { LocalCopies } from './local-copies.ts'

/** A read that fails is tried again whole. */
const READ_BYTES_MAX = 8 * 2 ** 20
/** A store far away gives much to several readers, and little to one. */
const READS_AT_ONCE = 4

interface CheckedRange {
  readonly offset: number
  readonly length: number
  /** Throws when the bytes are not what was written. */
  readonly check: (bytes: Buffer) => void
}

export class RestoreReader {
  readonly #store: ObjectStore
  readonly #restore: SlotRestore
  readonly #copies: LocalCopies | undefined

  constructor(store: ObjectStore, restore: SlotRestore, copies?: LocalCopies) {
    this.#store = store
    this.#restore = restore
    this.#copies = copies
  }

  /**
   * Reads what a vertex with these operators gets back. Throws WEIR_CHECKPOINT_CORRUPT or a
   * WEIR_STORE error.
   */
  async read(vertexId: string, operatorIds: readonly string[]): Promise<TaskRestore> {
    const operators = new Map<string, OperatorRestore>()
    for (const operatorId of operatorIds) {
      const planned = this.#restore.operators[operatorId]
      if (planned !== undefined) operators.set(operatorId, await this.#readOperator(planned))
    }
    const channels = await this.#readChannels(this.#restore.channels[vertexId] ?? [])
    return { checkpointId: this.#restore.checkpointId, operators, channels }
  }

  async #readChannels(pieces: readonly ChannelPiece[]): Promise<readonly ChannelRestore[]> {
    const bytes = new Map<Section, Buffer>()
    const parts = pieces.flatMap(piece => piece.parts)
    for (const [file, inFile] of Map.groupBy(parts, part => part.file)) {
      const sections = inFile.map(part => part.section).sort((a, b) => a.offset - b.offset)
      for (const [section, part] of await this.#readSections(file, sections)) {
        bytes.set(section, part)
      }
    }
    return pieces.map(({ mark, parts: ordered, ...piece }) => ({
      ...piece,
      mark: markOf(mark),
      sections: ordered.map(({ section }) => bytes.get(section) as Buffer),
    }))
  }

  async #readOperator(planned: SubtaskRestore): Promise<OperatorRestore> {
    const keyed: RestoredKeyedState[] = []
    for (const piece of planned.keyed) keyed.push(await this.#readKeyed(piece))
    const operatorState: OperatorStateSnapshot[] = []
    for (const piece of planned.operatorState) operatorState.push(await this.#readState(piece))
    const { writerState, committables } = planned
    return { keyed, operatorState: mergeByName(operatorState), writerState, committables }
  }

  async #readKeyed(piece: KeyedPiece): Promise<RestoredKeyedState> {
    const sections = await this.#readSections(piece.file, piece.groups)
    const groups = sections.map(([{ keyGroup }, bytes]): RestoredKeyGroup => ({ keyGroup, bytes }))
    return { states: piece.states, groups }
  }

  /** Reads sections of a file, in the order of their offsets; neighbours at once. */
  async #readSections<S extends Section>(
    file: string,
    sections: readonly S[],
  ): Promise<readonly (readonly [S, Buffer])[]> {
    const runs = await inParallel(runsOf(sections), {
      limit: READS_AT_ONCE,
      work: run => this.#readRun(file, run),
    })
    return runs.flat()
  }

  async #readRun<S extends Section>(
    file: string,
    run: readonly S[],
  ): Promise<readonly (readonly [S, Buffer])[]> {
    const first = run[0] as S
    const last = run.at(-1) as S
    const partOf = (bytes: Buffer, section: S): Buffer => {
      const start = section.offset - first.offset
      return bytes.subarray(start, start + section.length)
    }
    const bytes = await this.#readRange(file, {
      offset: first.offset,
      length: last.offset + last.length - first.offset,
      check: found => {
        for (const section of run) {
          checkSection(partOf(found, section), section, this.#checked(file))
        }
      },
    })
    return run.map(section => [section, partOf(bytes, section)])
  }

  async #readState(piece: OperatorStatePiece): Promise<OperatorStateSnapshot> {
    const { section, itemLengths, ...described } = piece.state
    if (piece.from === piece.to) return { ...described, items: [] }
    const check = (found: Buffer): void => checkSection(found, section, this.#checked(piece.file))
    const bytes = await this.#readRange(piece.file, { ...section, check })
    return { ...described, items: itemsOf(bytes, itemLengths).slice(piece.from, piece.to) }
  }

  async #readRange(file: string, range: CheckedRange): Promise<Buffer> {
    const { offset, length, check } = range
    const key = `${this.#restore.folder}/${file}`
    const copy = await this.#readCopy(key, range)
    if (copy !== undefined) return copy
    let bytes: Buffer
    try {
      bytes = await this.#store.getRange(key, offset, length)
    } catch (error) {
      if (!isWeirError(error) || error.code !== 'WEIR_STORE_NOT_FOUND') throw error
      const { path, previous } = this.#checked(file)
      const details = { file: path, reason: 'is missing', previous }
      throw checkpointErrors.WEIR_CHECKPOINT_CORRUPT(details, error)
    }
    check(bytes)
    return bytes
  }

  async #readCopy(key: string, range: CheckedRange): Promise<Buffer | undefined> {
    const { location } = this.#restore
    const { offset, length, check } = range
    const bytes = await this.#copies?.read({ location, key, offset, length })
    if (bytes === undefined) return undefined
    try {
      check(bytes)
      return bytes
    } catch {
      this.#copies?.drop(location, key)
      return undefined
    }
  }

  #checked(file: string): CheckedFile {
    const { location, folder, previous } = this.#restore
    return { path: `${location}/${folder}/${file}`, previous }
  }
}

/** Sections that lie one after the other, in runs that can be read at once. */
function runsOf<S extends Section>(sections: readonly S[]): readonly (readonly S[])[] {
  const runs: S[][] = []
  let end = -1
  let size = 0
  for (const section of sections) {
    const run = runs.at(-1)
    if (run !== undefined && section.offset === end && size + section.length <= READ_BYTES_MAX) {
      run.push(section)
      size += section.length
    } else {
      runs.push([section])
      size = section.length
    }
    end = section.offset + section.length
  }
  return runs
}

/** Pieces of one state, from several old subtasks, become one list. */
function mergeByName(pieces: readonly OperatorStateSnapshot[]): readonly OperatorStateSnapshot[] {
  const merged = new Map<string, OperatorStateSnapshot>()
  for (const piece of pieces) {
    const known = merged.get(piece.name)
    const items = known === undefined ? piece.items : [...known.items, ...piece.items]
    merged.set(piece.name, { ...piece, items })
  }
  return [...merged.values()]
}
