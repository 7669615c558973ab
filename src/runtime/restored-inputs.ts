/**
 * The inputs of a task that restores data in flight: virtual channels through which it takes that
 * data by its normal path, with a valve of their own that goes on where the old receivers stood.
 */
import { assertDefined } from '../common/assert.ts'
import type { Random } from '../common/random.ts'
import type { Subtask } from '../graph/execution-plan.ts'
import type { JobEdge } from '../graph/job-graph.ts'
import type { Located } from '../schema/located-type.ts'
import { InputGate } from './network/input-gate.ts'
import { makeChannelSelector } from './network/partitioners.ts'
import { VirtualChannel } from './network/virtual-channel.ts'
import { wireOf } from './network/wire-of.ts'
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
    channels.map(({ edgeId, sections, filtered, isLocated = false }) => {
      const found = subtask.inputs.find(({ edge }) => edge.id === edgeId)
      const { edge } = assertDefined(found, `edge ${edgeId} leads here`)
      const keep = filtered ? keeper(options, edge) : undefined
      const { type } = wireOf({ ...edge, isLocated })
      const adapt = adapter(isLocated, edge.isLocated === true)
      const channel = new VirtualChannel({ type, sections, adapt, keep })
      return { channel, input: edge.input }
    }),
  )
  const marks = channels.map(channel => channel.mark)
  return { gate, valve: new WatermarkValve(channels.length, output), marks }
}

/** A dead-letter policy that came or went since then changes what travels, not the records. */
function adapter(stored: boolean, wanted: boolean): ((value: unknown) => unknown) | undefined {
  if (stored === wanted) return undefined
  if (stored) return located => (located as Located<unknown>).value
  return value => ({ value, coordinates: undefined }) satisfies Located<unknown>
}

/** Takes the records that a sender would give to this subtask now. */
function keeper(
  { subtask, random, fail }: RestoredInputsOptions,
  edge: JobEdge,
): ((value: unknown) => boolean) | undefined {
  const { vertex, index } = subtask
  const select = makeChannelSelector({
    partitioner: wireOf(edge).partitioner,
    channels: vertex.parallelism,
    subtaskIndex: index,
    maxParallelism: vertex.maxParallelism,
    random,
    fail,
    badKeysTo: edge.passesBadKeys === true ? 0 : undefined,
  })
  return select && (value => select(value) === index)
}
