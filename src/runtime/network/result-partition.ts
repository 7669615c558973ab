/**
 * The sending side of one edge of a subtask: its channels, the partitioner that chooses among them,
 * and the events that go to all of them.
 *
 * Invariants
 *  RP1  An event leaves after every record that was pushed before it, on every channel; but for an
 *       unaligned barrier, which leaves before all that has not left yet.
 *  RP2  On an edge that allows no overtaking every barrier keeps its order.
 */
import type { Partitioner } from '../../api/transformation.ts'
import type { Random } from '../../common/random.ts'
import { makeLocatedOutput, type RecordOrigin } from '../record-origin.ts'
import type { Push } from '../stream-operator.ts'
import type { CheckpointBarrier } from '../task-contract.ts'
import type { InFlightItem, OutputChannel } from './channel.ts'
import type { OutputRoom } from './output-room.ts'
import { makeChannelSelector } from './partitioners.ts'
import { makeRecordWriter, type RecordWriter } from './record-writer.ts'
import { RecordBatch, type StreamEvent } from './stream-item.ts'

export interface PartitionOptions {
  readonly partitioner: Partitioner
  readonly channels: readonly OutputChannel[]
  readonly room: OutputRoom
  readonly subtaskIndex: number
  readonly maxParallelism: number
  readonly random: Random
  /** RP2. */
  readonly forcedAligned: boolean
  readonly fail: (error: unknown) => never
  readonly badKeysTo?: number | undefined
  /** Where the edge carries the coordinates of its records. */
  readonly origin?: RecordOrigin | undefined
}

export class ResultPartition {
  readonly #channels: readonly OutputChannel[]
  readonly #writer: RecordWriter
  readonly #origin: RecordOrigin | undefined
  readonly #forcedAligned: boolean
  #records = 0

  constructor(options: PartitionOptions) {
    const { partitioner, channels, room } = options
    this.#channels = channels
    this.#origin = options.origin
    this.#forcedAligned = options.forcedAligned
    const broadcast = partitioner.kind === 'broadcast'
    const select = broadcast
      ? undefined
      : makeChannelSelector({ ...options, channels: channels.length })
    this.#writer = makeRecordWriter({
      channels: channels.length,
      select,
      handOver: (channel, items, size) => {
        this.#records += size
        const batch = new RecordBatch(items, size)
        // Nobody changes a batch, so one serves all receivers.
        if (broadcast) for (const one of channels) one.send(batch)
        else (channels[channel] as OutputChannel).send(batch)
      },
    })
    for (const channel of channels) channel.listen(room)
  }

  /** Takes one record. A plain function: operators call it directly. */
  get push(): Push {
    const { push } = this.#writer
    return this.#origin === undefined ? push : makeLocatedOutput(push, this.#origin)
  }

  /** Records handed over so far; a broadcast counts once. */
  get records(): number {
    return this.#records
  }

  flush(): void {
    this.#writer.flush()
  }

  broadcast(event: StreamEvent): void {
    this.#writer.flush()
    for (const channel of this.#channels) channel.send(event)
  }

  /** Sends a barrier in its form; gives what it overtook, by channel. */
  sendBarrier(barrier: CheckpointBarrier): readonly (readonly InFlightItem[])[] {
    this.#writer.flush()
    if (barrier.alignment.kind === 'unaligned' && !this.#forcedAligned) {
      return this.#channels.map(channel => channel.overtake(barrier))
    }
    for (const channel of this.#channels) channel.send({ kind: 'barrier', barrier })
    return []
  }

  /** Whether a barrier with a timeout waits behind data. One that may not overtake is let be. */
  holdsBarrier(checkpointId: number): boolean {
    return !this.#forcedAligned && this.#channels.some(channel => channel.holds(checkpointId))
  }

  /** Lets a barrier that waits overtake; gives what it overtook, by channel. */
  hastenBarrier(barrier: CheckpointBarrier): readonly (readonly InFlightItem[])[] {
    if (this.#forcedAligned) return []
    return this.#channels.map(channel => channel.hasten(barrier) ?? [])
  }
}
