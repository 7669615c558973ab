/**
 * The metadata of a checkpoint or savepoint: one readable JSON file that names everything else. It
 * is written last, and its presence makes the checkpoint. File names in it are relative to its
 * folder, so that a savepoint can be moved.
 *
 * Owns        the shape of the metadata.
 * Leaves out  its text (`metadata-text.ts`) and what is restored from it (`restore-plan.ts`).
 */
import type { StateMeta } from '../state/keyed-state-backend.ts'
import type { SnapshotKind } from './coordinator-state.ts'
import { type FoldOptions, foldCounts } from './fold-counts.ts'
import type {
  ChannelHandle,
  KeyGroupSection,
  OperatorHandle,
  PartMetrics,
  StoredJson,
  SubtaskHandle,
} from './snapshot-handle.ts'

/** Splits that ended and are counted one by one. */
const ENDED_SPLITS_NAMED = 1_000

/** 2 has data in flight. A checkpoint without any is written as 1: an older Weir reads it too. */
export const METADATA_VERSION = 2

export interface CheckpointMetadata {
  readonly formatVersion: 1 | typeof METADATA_VERSION
  readonly kind: SnapshotKind
  readonly checkpointId: number
  readonly jobId: string
  readonly jobName: string
  /** The attempt that wrote it: see `generation.ts`. */
  readonly generation: number
  readonly triggeredAtMs: number
  readonly completedAtMs: number
  readonly operators: readonly OperatorMetadata[]
  /** Those whose channels stand in it; none for an aligned checkpoint. */
  readonly edges: readonly EdgeMetadata[]
  readonly proof: Proof
}

/** What went in and what came out up to the cut, since the job began. */
export interface Proof {
  /** What the sources had emitted, by operator and split; see `fold-counts.ts`. */
  readonly recordsPerSplit: Counts
  /** What the sinks had written, by operator. */
  readonly recordsPerSink: { readonly [operatorId: string]: number }
  /** What this checkpoint commits, by sink and name: records of each. */
  readonly recordsPerTransaction: Counts
}

interface Counts {
  readonly [operatorId: string]: { readonly [name: string]: number }
}

/** What the metadata says of an operator beyond its parts. */
export interface OperatorDescription {
  readonly operatorId: string
  readonly uid: string | undefined
  readonly name: string
  readonly vertexId: string
  readonly parallelism: number
  readonly maxParallelism: number
  /** What its state hangs on, in words: the type of its keys, its windows. */
  readonly form?: Readonly<Record<string, string>> | undefined
}

/** What the metadata says of an edge beyond its channels. */
export interface EdgeDescription {
  readonly edgeId: string
  /** The operator that sends. */
  readonly fromOperatorId: string
  /** The receiver, and its first operator. */
  readonly vertexId: string
  /** How records are divided among the receivers. */
  readonly partitioner: PartitionerKind
  /** Of the records that travel. */
  readonly schema: unknown
  /** They travel with their coordinates, which `schema` leaves out. */
  readonly isLocated?: boolean | undefined
  /** Of the receiver. */
  readonly parallelism: number
  readonly maxParallelism: number
}

export type PartitionerKind =
  | 'forward'
  | 'rebalance'
  | 'rescale'
  | 'shuffle'
  | 'broadcast'
  | 'global'
  | 'key'
  | 'custom'

export interface EdgeMetadata extends EdgeDescription {
  readonly channels: readonly StoredChannel[]
}

export interface StoredChannel extends Omit<ChannelHandle, 'edgeId'> {
  /** Of this checkpoint; `undefined` when nothing was in flight. */
  readonly file: string | undefined
}

export interface OperatorMetadata extends OperatorDescription {
  /** A source's; taken before any of its readers saw the barrier. */
  readonly enumeratorState: StoredJson | undefined
  /** The lists of keyed states that occur in `subtasks`: usually one. */
  readonly stateSets: readonly (readonly StateMeta[])[]
  /** By index. */
  readonly subtasks: readonly SubtaskMetadata[]
}

export interface SubtaskMetadata
  extends Omit<OperatorHandle, 'operatorId' | 'keyed'>,
    Pick<SubtaskHandle, 'subtaskIndex'> {
  readonly keyed: StoredKeyed | undefined
  /** The file of this checkpoint with the subtask's binary state. */
  readonly privateState: PrivateState | undefined
  /** Files that several checkpoints use; none by backends that write everything each time. */
  readonly sharedState: readonly SharedState[]
}

export interface StoredKeyed {
  /** Index into `stateSets`. */
  readonly stateSet: number
  readonly groups: readonly KeyGroupSection[]
}

export interface PrivateState {
  readonly file: string
  readonly sizeBytes: number
}

export interface SharedState {
  readonly file: string
  readonly sizeBytes: number
  readonly crc: number
}

export interface MetadataSource
  extends Omit<CheckpointMetadata, 'formatVersion' | 'operators' | 'edges' | 'proof'> {
  readonly operators: readonly OperatorDescription[]
  readonly edges: readonly EdgeDescription[]
  readonly subtasks: readonly SubtaskHandle[]
  readonly enumerators: ReadonlyMap<string, StoredJson>
  /** Of the checkpoint that was restored: counts go on from it. */
  readonly proofBefore: Proof | undefined
  /** What subtasks had counted up to the checkpoint from which they alone started again. */
  readonly carried?: readonly SubtaskCounts[]
}

/** What one subtask counted, as its part of a checkpoint says it. */
export interface SubtaskCounts {
  readonly vertexId: string
  readonly metrics: Pick<PartMetrics, 'recordsPerSplit' | 'recordsPerSink'>
}

/** Puts the acknowledged parts of all subtasks together. */
export function buildMetadata(source: MetadataSource): CheckpointMetadata {
  const { operators, subtasks, enumerators, proofBefore: _, carried: _carried, ...rest } = source
  const byVertex = Map.groupBy(subtasks, subtask => subtask.vertexId)
  const edges = edgesOf(source)
  return {
    formatVersion: edges.length === 0 ? 1 : METADATA_VERSION,
    ...rest,
    operators: operators.map(operator =>
      operatorMetadata(operator, byVertex.get(operator.vertexId) ?? [], enumerators),
    ),
    edges,
    proof: proofOf(source),
  }
}

function operatorMetadata(
  operator: OperatorDescription,
  subtasks: readonly SubtaskHandle[],
  enumerators: ReadonlyMap<string, StoredJson>,
): OperatorMetadata {
  const stateSets = new StateSets()
  const sorted = subtasks.toSorted((a, b) => a.subtaskIndex - b.subtaskIndex)
  const parts = sorted.flatMap((subtask): SubtaskMetadata[] => {
    const part = subtask.operators.find(found => found.operatorId === operator.operatorId)
    if (part === undefined) return []
    const { operatorState, splits, writerState, committables, keyed } = part
    const { file, fileSizeBytes, subtaskIndex } = subtask
    return [
      {
        subtaskIndex,
        keyed: keyed && { stateSet: stateSets.indexOf(keyed.states), groups: keyed.groups },
        operatorState,
        splits,
        writerState,
        committables,
        privateState: file === undefined ? undefined : { file, sizeBytes: fileSizeBytes },
        sharedState: [],
      },
    ]
  })
  const enumeratorState = enumerators.get(operator.operatorId)
  return { ...operator, enumeratorState, stateSets: stateSets.list, subtasks: parts }
}

function edgesOf({ edges, subtasks }: MetadataSource): readonly EdgeMetadata[] {
  const stored = subtasks.flatMap(({ channels, file }) =>
    channels.map(({ edgeId, ...channel }) => ({
      edgeId,
      channel: { ...channel, file: channel.section && file },
    })),
  )
  const byEdge = Map.groupBy(stored, ({ edgeId }) => edgeId)
  return edges.flatMap(edge => {
    const channels = (byEdge.get(edge.edgeId) ?? []).map(({ channel }) => channel)
    return channels.length === 0 ? [] : [{ ...edge, channels: channels.toSorted(byPlace) }]
  })
}

function byPlace(a: StoredChannel, b: StoredChannel): number {
  return a.to - b.to || a.from - b.from
}

/** Subtasks of one operator declare the same states: their description is written once. */
class StateSets {
  readonly list: (readonly StateMeta[])[] = []
  readonly #indexes = new Map<string, number>()

  indexOf(states: readonly StateMeta[]): number {
    const text = JSON.stringify(states)
    const known = this.#indexes.get(text)
    if (known !== undefined) return known
    this.#indexes.set(text, this.list.length)
    return this.list.push(states) - 1
  }
}

function proofOf(from: MetadataSource): Proof {
  const { operators, subtasks, proofBefore, carried = [] } = from
  const splits = new Sums()
  const sinks = new Sums()
  const transactions = new Sums()
  for (const [id, counts] of Object.entries(proofBefore?.recordsPerSplit ?? {})) {
    splits.add(id, counts)
  }
  sinks.add('', proofBefore?.recordsPerSink ?? {})
  for (const { vertexId, metrics } of [...carried, ...subtasks]) {
    // A task has one source at most: the head of its chain, which comes first.
    const source = operators.find(operator => operator.vertexId === vertexId)
    if (source !== undefined) splits.add(source.operatorId, metrics.recordsPerSplit)
    sinks.add('', metrics.recordsPerSink ?? {})
  }
  const open = new Set(subtasks.flatMap(({ metrics }) => Object.keys(metrics.recordsPerSplit)))
  for (const { operators: parts } of subtasks) {
    for (const { operatorId, committables = [] } of parts) {
      for (const { transaction } of committables) {
        if (transaction !== undefined) {
          transactions.add(operatorId, { [transaction.name]: transaction.records })
        }
      }
    }
  }
  splits.fold({ named: ENDED_SPLITS_NAMED, isOpen: split => open.has(split) })
  return {
    recordsPerSplit: splits.toCounts(),
    recordsPerSink: sinks.toCounts()[''] ?? {},
    recordsPerTransaction: transactions.toCounts(),
  }
}

/** Counts by operator and name, added up. */
class Sums {
  readonly #byOperator = new Map<string, Map<string, number>>()

  add(operatorId: string, counts: { readonly [name: string]: number }): void {
    const sum = this.#byOperator.get(operatorId) ?? new Map<string, number>()
    for (const [name, count] of Object.entries(counts)) sum.set(name, (sum.get(name) ?? 0) + count)
    if (sum.size > 0) this.#byOperator.set(operatorId, sum)
  }

  fold(options: FoldOptions): void {
    for (const sum of this.#byOperator.values()) foldCounts(sum, options)
  }

  toCounts(): Counts {
    const entries = [...this.#byOperator].map(([id, sum]) => [id, Object.fromEntries(sum)] as const)
    return Object.fromEntries(entries)
  }
}

/** Bytes of all files of a stored snapshot; operators of a chain share one. */
export function storedSize({ operators }: CheckpointMetadata): number {
  const files = new Map<string, number>()
  for (const { subtasks } of operators) {
    for (const { privateState, sharedState } of subtasks) {
      for (const part of [...(privateState ? [privateState] : []), ...sharedState]) {
        files.set(part.file, part.sizeBytes)
      }
    }
  }
  return [...files.values()].reduce((sum, size) => sum + size, 0)
}

/** Bytes of all files, the metadata not counted. */
export function sizeOf(subtasks: readonly SubtaskHandle[]): number {
  return subtasks.reduce((sum, subtask) => sum + subtask.fileSizeBytes, 0)
}
