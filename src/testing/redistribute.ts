import type { KeyedSnapshot, RestoredKeyedState } from '../state/keyed-state-backend.ts'
import { redistributeOperatorState } from '../state/redistribution.ts'
import type { SubtaskRestore, SubtaskSnapshot } from './harness-subtask.ts'

/** What each new subtask gets of the old ones' state. Backends skip the key groups of others. */
export function redistribute(
  old: readonly SubtaskSnapshot[],
  parallelism: number,
): readonly SubtaskRestore[] {
  const keyed = old.flatMap(one => (one.keyed === undefined ? [] : [restorable(one.keyed)]))
  const operatorState = redistributeOperatorState(
    old.map(one => one.operatorState),
    parallelism,
  )
  return operatorState.map(given => ({ keyed, operatorState: given }))
}

function restorable({ states, groups, chunks }: KeyedSnapshot): RestoredKeyedState {
  const bytes = Buffer.concat(chunks)
  return {
    states,
    groups: groups.map(({ keyGroup, offset, length }) => ({
      keyGroup,
      bytes: bytes.subarray(offset, offset + length),
    })),
  }
}
