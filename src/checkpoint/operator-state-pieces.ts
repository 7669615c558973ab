import {
  redistributeBroadcast,
  redistributeSplit,
  redistributeUnion,
} from '../state/redistribution.ts'
import type { SubtaskMetadata } from './checkpoint-metadata.ts'
import type { OperatorStateHandle } from './snapshot-handle.ts'

/** Items `from` to `to` (exclusive) of one stored operator state. */
export interface OperatorStatePiece {
  readonly file: string
  readonly state: OperatorStateHandle
  readonly from: number
  readonly to: number
}

/**
 * Gives the stored operator states to the subtasks of a new parallelism, as pieces of files: the
 * rules are those of `state/redistribution.ts`.
 */
export function divideOperatorState(
  subtasks: readonly SubtaskMetadata[],
  parallelism: number,
): readonly (readonly OperatorStatePiece[])[] {
  const names = new Set(subtasks.flatMap(part => part.operatorState.map(state => state.name)))
  const given: OperatorStatePiece[][] = Array.from({ length: parallelism }, () => [])
  let firstLarger = 0
  for (const name of names) {
    const lists = subtasks.map(part => piecesOf(part, name))
    let shares: readonly (readonly OperatorStatePiece[])[]
    switch (lists.flat()[0]?.state.redistribution) {
      case 'union':
        shares = redistributeUnion(lists, parallelism)
        break
      case 'broadcast':
        shares = redistributeBroadcast(lists, parallelism)
        break
      default: {
        // One piece an item, as items are what is divided; neighbours are joined again.
        const items = lists.map(list => list.flatMap(singles))
        shares = redistributeSplit(items, parallelism, firstLarger).map(joined)
        if (lists.length !== parallelism) {
          firstLarger = (firstLarger + items.flat().length) % parallelism
        }
      }
    }
    shares.forEach((pieces, index) => given[index]?.push(...pieces))
  }
  return given
}

function piecesOf(subtask: SubtaskMetadata, name: string): readonly OperatorStatePiece[] {
  return subtask.operatorState
    .filter(state => state.name === name)
    .map(state => ({
      file: subtask.privateState?.file ?? '',
      state,
      from: 0,
      to: state.itemLengths.length,
    }))
}

function singles(piece: OperatorStatePiece): readonly OperatorStatePiece[] {
  return Array.from({ length: piece.to }, (_, from) => ({ ...piece, from, to: from + 1 }))
}

function joined(pieces: readonly OperatorStatePiece[]): readonly OperatorStatePiece[] {
  const runs: OperatorStatePiece[] = []
  for (const piece of pieces) {
    const last = runs.at(-1)
    if (last !== undefined && last.state === piece.state && last.to === piece.from) {
      runs[runs.length - 1] = { ...last, to: piece.to }
    } else {
      runs.push(piece)
    }
  }
  return runs
}
