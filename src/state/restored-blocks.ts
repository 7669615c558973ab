/**
 * Restored key groups, sorted by state, waiting until the state is opened: only then its type is
 * known. Groups outside the range are skipped, so that any snapshot restores at any parallelism.
 */
import { WeirError } from '../common/errors.ts'
import type { KeyGroupRange } from './key-groups.ts'
import type { RestoredKeyedState, StateMeta } from './keyed-state-backend.ts'
import { readSection, type StateBlock } from './section-reader.ts'
import { stateErrors } from './state-errors.ts'

/** What one snapshot holds of one state. */
export interface RestoredState {
  readonly meta: StateMeta
  readonly blocks: readonly RestoredBlock[]
}

export interface RestoredBlock extends StateBlock {
  readonly keyGroup: number
}

export class RestoredBlocks {
  readonly #operatorName: string
  readonly #states = new Map<string, RestoredState[]>()
  readonly #timers = new Map<string, RestoredState[]>()

  constructor(operatorName: string) {
    this.#operatorName = operatorName
  }

  /** Throws WEIR_STATE_SNAPSHOT_MALFORMED. */
  add(restored: RestoredKeyedState, range: KeyGroupRange): void {
    const blocks: RestoredBlock[][] = restored.states.map(() => [])
    for (const { keyGroup, bytes } of restored.groups) {
      if (keyGroup < range.start || keyGroup > range.end) continue
      this.read(keyGroup, () => {
        for (const block of readSection(bytes, blocks.length)) {
          blocks[block.state]?.push({ ...block, keyGroup })
        }
      })
    }
    restored.states.forEach((meta, i) => {
      const byName = meta.kind === 'timers' ? this.#timers : this.#states
      const known = byName.get(meta.name) ?? []
      known.push({ meta, blocks: blocks[i] as RestoredBlock[] })
      byName.set(meta.name, known)
    })
  }

  /** Gives the blocks of a state away: each is read once. */
  takeState(name: string): readonly RestoredState[] {
    return take(this.#states, name)
  }

  takeTimers(name: string): readonly RestoredState[] {
    return take(this.#timers, name)
  }

  /** Runs a read of a group's bytes; what is malformed is reported with operator and group. */
  read(keyGroup: number, run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof WeirError) || error.code !== 'WEIR_BYTES_MALFORMED') throw error
      const operator = this.#operatorName
      const reason = error.message
      throw stateErrors.WEIR_STATE_SNAPSHOT_MALFORMED({ operator, keyGroup, reason }, error)
    }
  }
}

function take(from: Map<string, RestoredState[]>, name: string): readonly RestoredState[] {
  const found = from.get(name) ?? []
  from.delete(name)
  return found
}
