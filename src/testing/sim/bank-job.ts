/**
 * The simulated job: transfers -> legs -> balance of each account -> transactional sink. The real
 * graph and the real enumerator's contract; the tasks themselves are simulated (`sim-task.ts`), and
 * divide records by account on both edges. Or in slices: forward edges, and no balances.
 */
import { type Job, job } from '../../api/job.ts'
import type { JsonValue, Source, SourceSplit, SplitEnumerator } from '../../api/source.ts'
import { assertNever } from '../../common/assert.ts'
import { planJob } from '../../graph/build-job-graph.ts'
import type { JobEdge, JobGraph, JobVertex } from '../../graph/job-graph.ts'
import { collectSink } from '../collect-sink.ts'
import type { Bank, Leg } from './bank.ts'
import type { Protection } from './protections.ts'

export const MAX_PARALLELISM = 12

export interface BankSplit extends SourceSplit {
  readonly split: number
  /** Of the next transfer. */
  readonly offset: number
}

export type TaskRole = 'source' | 'sum' | 'relay' | 'sink'

export interface BankGraphOptions {
  readonly parallelism: number
  /** No barrier overtakes between the sums and the sinks. */
  readonly forced: boolean
  readonly slices: boolean
  /** Protections that are switched off. */
  readonly off: ReadonlySet<Protection>
}

export function bankGraph(bank: Bank, options: BankGraphOptions): JobGraph {
  const { parallelism, forced, slices, off } = options
  const source = bankSource(bank, off)
  if (slices) return planJob(slicedJob(source), { parallelism, maxParallelism: MAX_PARALLELISM })
  const definition = job('bank', env => {
    env
      .from(source)
      .uid('transfers')
      .keyBy(leg => leg.account)
      .reduce((a, b) => ({ ...b, delta: a.delta + b.delta }))
      .uid('balances')
      .partitionCustom(
        leg => leg.account,
        (account, channels) => account % channels,
      )
      .to(collectSink<Leg>())
      .uid('bookings')
  })
  const graph = planJob(definition, { parallelism, maxParallelism: MAX_PARALLELISM })
  return forced ? withForcedEdge(graph) : graph
}

function slicedJob(source: Source<Leg, BankSplit>): Job {
  return job('bank', env => {
    env
      .from(source)
      .uid('transfers')
      .map(leg => leg)
      .uid('relays')
      .startNewChain()
      .to(collectSink<Leg>())
      .uid('bookings')
      .disableChaining()
  })
}

/** As if what leads to the sinks were pointwise. */
function withForcedEdge(graph: JobGraph): JobGraph {
  const last = graph.edges.at(-1)
  const force = (edge: JobEdge): JobEdge =>
    edge === last ? { ...edge, forcedAlignment: 'forward' } : edge
  const edges = graph.edges.map(force)
  const same = (edge: JobEdge): JobEdge => edges.find(({ id }) => id === edge.id) ?? edge
  const vertices = graph.vertices.map(vertex => {
    return { ...vertex, inputs: vertex.inputs.map(same), outputs: vertex.outputs.map(same) }
  })
  return { ...graph, edges, vertices }
}

export function roleOf(vertex: JobVertex): TaskRole {
  switch (vertex.chain[0]?.uid) {
    case 'transfers':
      return 'source'
    case 'balances':
      return 'sum'
    case 'relays':
      return 'relay'
    case 'bookings':
      return 'sink'
    default:
      return assertNever(vertex as never, 'vertex')
  }
}

function bankSource(bank: Bank, off: ReadonlySet<Protection>): Source<Leg, BankSplit> {
  return {
    name: 'transfers',
    boundedness: 'bounded',
    output: undefined,
    createEnumerator: (context, state) => {
      const restored = state as readonly BankSplit[] | undefined
      const waiting = restored ?? bank.splits.map((_, split) => newSplit(split))
      return new SplitQueue(waiting, {
        assign: (split, reader) => context.assignSplit(split, reader),
        noMore: reader => context.signalNoMoreSplits(reader),
        takesBack: !off.has('splits-handed-back'),
      })
    },
    createReader: () => assertNever('reader' as never, 'real reader in a simulation'),
  }
}

function newSplit(split: number): BankSplit {
  return { id: `split-${split}`, split, offset: 0 }
}

interface SplitPorts {
  assign(split: BankSplit, reader: number): void
  noMore(reader: number): void
  readonly takesBack: boolean
}

/** Gives one split at a time to whoever asks. */
class SplitQueue implements SplitEnumerator<BankSplit> {
  readonly #waiting: BankSplit[]
  readonly #ports: SplitPorts

  constructor(waiting: readonly BankSplit[], ports: SplitPorts) {
    this.#waiting = [...waiting]
    this.#ports = ports
  }

  start(): void {}

  addReader(): void {}

  handleSplitRequest(reader: number): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#ports.noMore(reader)
    else this.#ports.assign(next, reader)
  }

  addSplitsBack(splits: readonly BankSplit[]): void {
    if (this.#ports.takesBack) this.#waiting.push(...splits)
  }

  snapshotState(): JsonValue {
    return this.#waiting as unknown as JsonValue
  }

  close(): void {}
}
