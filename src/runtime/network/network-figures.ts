/** What the connections of a slot do, as plain numbers. Whoever shows it gives names and units. */
import type { RemoteOutput } from './remote-output.ts'

export interface NetworkFigures {
  /** Since the process began. Credits included. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Data and events. */
  readonly framesSent: number
  readonly framesReceived: number
  readonly edges: readonly EdgeFigures[]
}

/** Over all channels of the slot that belong to the edge; a side without channels is left out. */
export interface EdgeFigures {
  readonly edge: string
  readonly input: InputFigures | undefined
  readonly output: OutputFigures | undefined
}

export interface InputFigures {
  /** Came, and the task has not taken them. */
  readonly queuedFrames: number
  /** Frames that the senders may still send. */
  readonly credits: number
  /** Buffers that are in use, of those that may be: 0 to 1. */
  readonly usage: number
  /** The size of a frame that senders are asked for. */
  readonly frameBytes: number
}

export interface OutputFigures {
  /** Wait for credit, with what they hold. */
  readonly queuedFrames: number
  readonly queuedBytes: number
  /** Frames that may leave at once. */
  readonly credits: number
  /** Bytes that wait, of those that may before the task has to: 0 and more. */
  readonly usage: number
  /** Channels for which the task has to wait. */
  readonly fullChannels: number
}

export function outputFigures(outputs: readonly RemoteOutput[]): OutputFigures {
  const sum = (read: (output: RemoteOutput) => number): number =>
    outputs.reduce((total, output) => total + read(output), 0)
  const queuedBytes = sum(output => output.queuedBytes)
  return {
    queuedFrames: sum(output => output.queuedFrames),
    queuedBytes,
    credits: sum(output => output.credits),
    usage: queuedBytes / sum(output => output.capacityBytes),
    fullChannels: sum(output => (output.isFull ? 1 : 0)),
  }
}

/**
 * One entry an edge. The subtask that sends on it and the one that receives may belong to two
 * failover regions, each with its own channels.
 */
export function joinedEdges(figures: readonly EdgeFigures[]): readonly EdgeFigures[] {
  const joined = new Map<string, EdgeFigures>()
  for (const { edge, input, output } of figures) {
    const known = joined.get(edge)
    joined.set(edge, { edge, input: known?.input ?? input, output: known?.output ?? output })
  }
  return [...joined.values()]
}
