/**
 * The inputs of a task that restores data in flight: virtual channels through which it takes that
 * data by its normal path, with a valve of their own that goes on where the old receivers stood.
 */
import { assertDefined } from '../common/assert.ts'
import type { Random } from '../common/random.ts'
import type { Subtask } from '../graph/execution-plan.ts'
import type { JobEdge } from '../graph/job-graph.ts'
import { InputGate } from './network/input-gate.ts'
import { makeChannelSelector } from './network/partitioners.ts'
import { VirtualChannel } from './network/virtual-channel.ts'
import type { ChannelRestore } from './task-contract.ts'
import { type ChannelMark, type ValveOutput, WatermarkValve } from './watermark-valve.ts'

export interface RestoredInputs {
  readonly gate: InputGate
  readonly valve: WatermarkValve
  readonly marks: readonly ChannelMark[]
}

export interface RestoredInputsOptions {
  readonly subtask: Subtask
  readonly channels: readonly ChannelRestore[]
  readonly output: ValveOutput
  readonly random: Random
  /** Turns an error of a user's selector into one that names the operator. Throws always. */
  readonly fail: (error: unknown) => never
}

/** `undefined` when nothing was in flight. */
export function makeRestoredInputs(options: RestoredInputsOptions): RestoredInputs | undefined {
  const { subtask, channels, output } = options
  if (channels.length === 0) return undefined
  const gate = new InputGate(
    channels.map(({ edgeId, sections, filtered }) => {
      const found = subtask.inputs.find(({ edge }) => edge.id === edgeId)
      const { edge } = assertDefined(found, `edge ${edgeId} leads here`)
      const keep = filtered ? keeper(options, edge) : undefined
      const channel = new VirtualChannel({ type: edge.type, sections, keep })
      return { channel, input: edge.input }
    }),
  )
  const marks = channels.map(channel => channel.mark)
  return { gate, valve: new WatermarkValve(channels.length, output), marks }
}

/** Takes the records that a sender would give to this subtask now. */
function keeper(
  { subtask, random, fail }: RestoredInputsOptions,
  { partitioner, passesBadKeys }: JobEdge,
): ((value: unknown) => boolean) | undefined {
  const { vertex, index } = subtask
  const select = makeChannelSelector({
    partitioner,
    channels: vertex.parallelism,
    subtaskIndex: index,
    maxParallelism: vertex.maxParallelism,
    random,
    fail,
    badKeysTo: passesBadKeys === true ? 0 : undefined,
  })
  return select && (value => select(value) === index)
}
