/**
 * What subtasks counted before they started again alone: each counts from zero then, while the
 * job's proof goes on. See `Proof` in `checkpoint-metadata.ts`.
 *
 * Owns        by subtask: its counts up to the checkpoint it started again from.
 * Leaves out  what was counted before the job's attempt: `MetadataSource.proofBefore`.
 *
 * Invariants
 *  CC1  A record counts once, whether its subtask has started again since or not: what it counted
 *       after the checkpoint it started again from is forgotten, for it happens again.
 */
import type { SubtaskCounts } from './checkpoint-metadata.ts'
import type { SubtaskHandle } from './snapshot-handle.ts'

export class CarriedCounts {
  /** By subtask: `<vertex id>/<index>`. */
  #carried: ReadonlyMap<string, SubtaskCounts> = new Map()
  /** At checkpoints that are being stored: all that each subtask counted in this attempt. */
  readonly #totals = new Map<number, ReadonlyMap<string, SubtaskCounts>>()
  /** At the last completed one. */
  #last: ReadonlyMap<string, SubtaskCounts> = new Map()

  /** For the proof of a checkpoint that all subtasks have acknowledged. */
  acknowledged(id: number, parts: readonly SubtaskHandle[]): readonly SubtaskCounts[] {
    const totals = parts.map(({ vertexId, subtaskIndex, metrics }) => {
      const subtask = `${vertexId}/${subtaskIndex}`
      const before = this.#carried.get(subtask)
      return [subtask, { vertexId, metrics: sumOf(metrics, before?.metrics) }] as const
    })
    this.#totals.set(id, new Map(totals))
    return [...this.#carried.values()]
  }

  completed(id: number): void {
    this.#last = this.#totals.get(id) ?? this.#last
    for (const older of [...this.#totals.keys()].filter(other => other <= id)) {
      this.#totals.delete(older)
    }
  }

  abandoned(id: number): void {
    this.#totals.delete(id)
  }

  /** These subtasks start again from the last completed checkpoint of this attempt. */
  startedAgain(subtasks: readonly string[]): void {
    const carried = new Map(this.#carried)
    for (const subtask of subtasks) {
      const counted = this.#last.get(subtask)
      if (counted !== undefined) carried.set(subtask, counted)
    }
    this.#carried = carried
  }
}

type Counted = SubtaskCounts['metrics']

function sumOf(one: Counted, other: Counted | undefined): Counted {
  return {
    recordsPerSplit: added(one.recordsPerSplit, other?.recordsPerSplit),
    recordsPerSink: added(one.recordsPerSink, other?.recordsPerSink),
  }
}

interface Numbers {
  readonly [name: string]: number
}

function added(one: Numbers = {}, other: Numbers = {}): Numbers {
  const sum: Record<string, number> = { ...other }
  for (const [name, count] of Object.entries(one)) sum[name] = (sum[name] ?? 0) + count
  return sum
}
