/**
 * Handles: what is known of a stored snapshot without its bytes. Plain JSON, sent from the subtask
 * to the JobManager and kept in the metadata.
 */
import type { StateMeta } from '../state/keyed-state-backend.ts'
import type { Redistribution } from '../state/operator-state-backend.ts'

/** Plain JSON that is kept readable; its meaning belongs to a source or a sink. */
export type StoredJson =
  | string
  | number
  | boolean
  | null
  | readonly StoredJson[]
  | { readonly [key: string]: StoredJson | undefined }

/** A piece of a state file, with its checksum. */
export interface Section {
  readonly offset: number
  readonly length: number
  /** CRC-32 of the bytes. */
  readonly crc: number
}

export interface KeyGroupSection extends Section {
  readonly keyGroup: number
}

export interface KeyedHandle {
  readonly states: readonly StateMeta[]
  /** Ascending by key group; empty groups have none. */
  readonly groups: readonly KeyGroupSection[]
}

export interface OperatorStateHandle {
  readonly name: string
  readonly redistribution: Redistribution
  readonly schema: unknown
  readonly keySchema?: unknown
  /** All items, one after the other. */
  readonly section: Section
  readonly itemLengths: readonly number[]
}

export interface CommittableHandle {
  readonly checkpointId: number
  readonly committable: StoredJson
  readonly transaction?: TransactionHandle | undefined
}

/** What a committable holds. */
export interface TransactionHandle {
  readonly name: string
  readonly records: number
}

export interface StoredSplit {
  readonly id: string
}

/** `none`: no watermark came. `end`: event time is over. */
export type StoredWatermark = number | 'none' | 'end'

/** Where the event time of a channel stood for its receiver at the cut. */
export interface ChannelMarkHandle {
  readonly watermark: StoredWatermark
  readonly idle: boolean
}

/** Data in flight between two subtasks, as one of them recorded it. */
export interface ChannelHandle {
  readonly edgeId: string
  /** Subtasks. */
  readonly from: number
  readonly to: number
  /** Recorded by the receiver, or by the sender. */
  readonly direction: 'input' | 'output'
  /** Of an input. */
  readonly mark: ChannelMarkHandle | undefined
  /** `undefined` when nothing was in flight. */
  readonly section: Section | undefined
}

/** What one operator subtask left in a checkpoint. */
export interface OperatorHandle {
  readonly operatorId: string
  readonly keyed: KeyedHandle | undefined
  readonly operatorState: readonly OperatorStateHandle[]
  readonly splits: readonly StoredSplit[] | undefined
  readonly writerState: readonly StoredJson[] | undefined
  readonly committables: readonly CommittableHandle[] | undefined
}

/** The phases of a subtask's part, ms, and the proof of its source and sinks. */
export interface PartMetrics {
  readonly alignmentMs: number
  readonly startDelayMs: number
  /** The barrier overtook data here, or did not wait for others. */
  readonly unaligned: boolean
  /** Bytes of data in flight. */
  readonly inFlightBytes: number
  readonly syncMs: number
  readonly asyncMs: number
  readonly recordsPerSplit: { readonly [splitId: string]: number }
  readonly recordsPerSink?: { readonly [operatorId: string]: number } | undefined
}

/** A subtask's acknowledgement. */
export interface SubtaskHandle {
  readonly vertexId: string
  readonly subtaskIndex: number
  /** In the checkpoint's folder; `undefined` when there was no binary state. */
  readonly file: string | undefined
  readonly fileSizeBytes: number
  readonly operators: readonly OperatorHandle[]
  /** Empty for an aligned checkpoint. */
  readonly channels: readonly ChannelHandle[]
  readonly metrics: PartMetrics
}
