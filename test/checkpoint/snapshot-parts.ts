/** Snapshots made by hand: what tasks would have given. */
import type { OperatorDescription } from '../../src/checkpoint/checkpoint-metadata.ts'
import type { SubtaskHandle } from '../../src/checkpoint/snapshot-handle.ts'
import {
  type ChannelPart,
  encodeStateFile,
  type OperatorPart,
} from '../../src/checkpoint/state-file.ts'
import { keyGroupRange } from '../../src/state/key-groups.ts'
import type { KeyedSnapshot, StateMeta } from '../../src/state/keyed-state-backend.ts'

export const counts: StateMeta = {
  name: 'counts',
  kind: 'value',
  schema: { kind: 'int32' },
  version: 0,
  ttl: false,
}

export function emptyPart(operatorId: string): OperatorPart {
  return {
    operatorId,
    keyed: undefined,
    operatorState: [],
    splits: undefined,
    writerState: undefined,
    committables: undefined,
  }
}

/** Key group g holds the text `g:<g>`; groups for which `keep` says no are empty. */
export function keyedSnapshot(
  subtask: {
    readonly index: number
    readonly parallelism: number
    readonly maxParallelism: number
  },
  keep: (keyGroup: number) => boolean = () => true,
): KeyedSnapshot {
  const range = keyGroupRange(subtask.index, subtask.maxParallelism, subtask.parallelism)
  const groups: { keyGroup: number; offset: number; length: number }[] = []
  let all = Buffer.alloc(0)
  for (let keyGroup = range.start; keyGroup <= range.end; keyGroup++) {
    if (!keep(keyGroup)) continue
    const bytes = Buffer.from(`g:${keyGroup}`)
    groups.push({ keyGroup, offset: all.length, length: bytes.length })
    all = Buffer.concat([all, bytes])
  }
  // Chunk borders fall anywhere.
  const chunks: Buffer[] = []
  for (let at = 0; at < all.length; at += 5) chunks.push(all.subarray(at, at + 5))
  return { states: [counts], groups, chunks }
}

export interface SubtaskParts {
  readonly parts?: readonly OperatorPart[]
  readonly inFlight?: readonly ChannelPart[]
}

export function subtaskHandle(
  vertexId: string,
  subtaskIndex: number,
  { parts = [], inFlight = [] }: SubtaskParts,
): { readonly handle: SubtaskHandle; readonly bytes: Buffer } {
  const { pieces, sizeBytes, operators, channels } = encodeStateFile(parts, inFlight)
  const file = sizeBytes === 0 ? undefined : `${vertexId}-${subtaskIndex}.state`
  const metrics = {
    alignmentMs: 1,
    startDelayMs: 2,
    unaligned: false,
    inFlightBytes: 0,
    syncMs: 3,
    asyncMs: 4,
    recordsPerSplit: {},
  }
  const handle: SubtaskHandle = {
    vertexId,
    subtaskIndex,
    file,
    fileSizeBytes: sizeBytes,
    operators,
    channels,
    metrics,
  }
  return { handle, bytes: Buffer.concat(pieces) }
}

export function description(
  operatorId: string,
  parallelism: number,
  change: Partial<OperatorDescription> = {},
): OperatorDescription {
  return {
    operatorId,
    uid: operatorId,
    name: operatorId,
    vertexId: operatorId,
    parallelism,
    maxParallelism: 128,
    form: { keys: 'string' },
    ...change,
  }
}
