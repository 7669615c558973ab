/**
 * The operators of one subtask, wired to each other by direct calls.
 *
 * Owns        the operators' life in the right order: opened and snapshotted from the tail,
 *             finished from the head; which of them were interrupted while they advanced event
 *             time.
 * Leaves out  when anything happens (`stream-task.ts`), and channels (`network/`).
 *
 * Invariants
 *  H1  An operator's targets are open before it is made: `emit` is the child's own function.
 *  H2  While an operator is interrupted it gets no new watermark; one that comes all the same
 *      waits.
 *  H3  An operator is finished after everything that the operators before it emit at their end.
 */
import { assert, assertDefined } from '../common/assert.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'
import type { ChainedOperator, JobVertex } from '../graph/job-graph.ts'
import { fanOut } from './fan-out.ts'
import { inSequence } from './in-sequence.ts'
import { type LookAhead, makeLookAhead } from './look-ahead.ts'
import type { ResultPartition } from './network/result-partition.ts'
import {
  makeOperatorHome,
  type OperatorHome,
  type OperatorOutputs,
  type TaskScope,
} from './operator-context.ts'
import { createOperator } from './operators/create-operator.ts'
import { SinkOperator } from './operators/sink-operator.ts'
import { type SourceHooks, SourceOperator } from './operators/source-operator.ts'
import { makeLocatedInput } from './record-origin.ts'
import type { Push, StreamOperator, WatermarkStatus } from './stream-operator.ts'
import type { CommitSettlement, OperatorRestore, TaskRestore } from './task-contract.ts'

export interface ChainOptions {
  readonly vertex: JobVertex
  readonly scope: TaskScope
  /** One an edge of `vertex.outputs`, in its order. */
  readonly partitions: readonly ResultPartition[]
  readonly restore: TaskRestore | undefined
  /** What a source at the head needs. */
  readonly sourceHooks: (operatorId: string, blockables: Blockables) => SourceHooks
}

/** Operators that may refuse input for a while. */
export type Blockables = readonly { readonly blocked: boolean }[]

/** One operator in its chain. */
export interface ChainLink {
  readonly node: ChainedOperator
  readonly operator: StreamOperator
  readonly home: OperatorHome
  readonly children: readonly ChainLink[]
  /** It stopped because the outputs were full; `resume` goes on. */
  interrupted: boolean
  /** A watermark that came meanwhile. */
  deferred: number
}

export class OperatorChain {
  /** In the order of the vertex: head first. */
  readonly links: readonly ChainLink[]
  readonly source: SourceOperator | undefined
  readonly blockables: Blockables
  /** One an input of the head. */
  readonly inputs: readonly Push[]
  readonly #isLocated: boolean
  #interrupted = 0
  #finished = 0
  #entered = false

  private constructor(links: readonly ChainLink[], { vertex, scope }: ChainOptions) {
    this.links = links
    const { operator } = head(links)
    // All edges of an input carry coordinates, or none.
    this.#isLocated = vertex.inputs.some(edge => edge.isLocated === true)
    this.inputs = this.#isLocated
      ? operator.inputs.map(push => makeLocatedInput(push, scope.origin))
      : operator.inputs
    this.source = operator instanceof SourceOperator ? operator : undefined
    this.blockables = blockablesOf(links)
  }

  /** Makes and opens all operators, tail first (H1). Closes what is open when one fails. */
  static async open(options: ChainOptions): Promise<OperatorChain> {
    const { chain } = options.vertex
    const links: ChainLink[] = new Array(chain.length)
    // The operators call back into the chain, which exists only when all of them do.
    const late: { chain: OperatorChain | undefined } = { chain: undefined }
    const advance = (link: ChainLink, watermark: number): void =>
      assertDefined(late.chain, 'H1: no watermark before the chain is open').advance(
        link,
        watermark,
      )
    try {
      for (let index = chain.length - 1; index >= 0; index--) {
        const node = chain[index] as ChainedOperator
        const children = node.chainedOutputs.map(output => links[output.to] as ChainLink)
        const outputs = makeOutputs({ node, children, advance, ...options })
        const link = makeLink({ ...options, node, children, outputs, behind: links })
        links[index] = link
        await link.operator.open()
      }
    } catch (error) {
      await closeAll(links.filter(link => link !== undefined)).catch(() => {})
      throw error
    }
    late.chain = new OperatorChain(links, options)
    return late.chain
  }

  /** What to call with the records that come next on an input of the head, if anything. */
  lookAhead(input: number): LookAhead | undefined {
    // It would have to open each record twice.
    if (this.#isLocated) return undefined
    const { context, openKeyed } = head(this.links).home
    return makeLookAhead(openKeyed(), context.keySelectors[input])
  }

  get hasInterrupted(): boolean {
    return this.#interrupted > 0
  }

  get blocked(): boolean {
    for (const operator of this.blockables) if (operator.blocked) return true
    return false
  }

  /** The watermark of the input: goes to the head. */
  processWatermark(watermark: number): void {
    this.advance(head(this.links), watermark)
  }

  processStatus(status: WatermarkStatus): void {
    head(this.links).operator.processStatus(status)
  }

  /** Advances one operator's event time. */
  advance(link: ChainLink, watermark: number): void {
    if (link.interrupted) link.deferred = watermark
    else if (!link.operator.processWatermark(watermark)) this.#interrupt(link)
  }

  /** Goes on with interrupted operators, the last one first. False when one stopped again. */
  resume(): boolean {
    for (let link = this.#lastInterrupted(); link !== undefined; link = this.#lastInterrupted()) {
      if (!link.operator.resume()) return false
      link.interrupted = false
      this.#interrupted--
      const { deferred } = link
      link.deferred = MIN_TIMESTAMP
      if (deferred !== MIN_TIMESTAMP) this.advance(link, deferred)
    }
    return true
  }

  nextProcessingTime(): number {
    let next = MAX_TIMESTAMP
    for (const { operator } of this.links) {
      const time = operator.nextProcessingTime()
      if (time < next) next = time
    }
    return next
  }

  /** Fires what is due; operators that stop are resumed like those of a watermark. */
  processTime(now: number): void {
    for (const link of this.links) {
      if (link.interrupted || link.operator.nextProcessingTime() > now) continue
      if (!link.operator.processTime(now)) this.#interrupt(link)
    }
  }

  /** One of the head's inputs is over. */
  endInput(input: number): void {
    head(this.links).operator.endInput(input)
  }

  /** Finishes the operators, head first (H3). False while one has more to emit: call it again. */
  finish(mayEmit: () => boolean): boolean {
    for (; this.#finished < this.links.length; this.#finished++) {
      const { operator } = this.links[this.#finished] as ChainLink
      if (!mayEmit()) return false
      if (this.#finished > 0 && !this.#entered) operator.endInput(0)
      this.#entered = true
      if (!operator.finish()) return false
      this.#entered = false
    }
    return true
  }

  /** Instead of `finish` where the input ends without a drain. */
  hold(): void {
    for (const { operator } of this.links) operator.hold?.()
  }

  prepareSnapshot(checkpointId: number): void | Promise<void> {
    return inSequence(this.links.map(link => () => link.operator.prepareSnapshot(checkpointId)))
  }

  snapshotState(checkpointId: number): void | Promise<void> {
    const actions = this.links.map(link => () => link.operator.snapshotState(checkpointId))
    return inSequence(actions.reverse())
  }

  notifyCheckpointComplete(checkpointId: number): Promise<unknown> {
    return Promise.all(
      this.links.map(async link => link.operator.notifyCheckpointComplete(checkpointId)),
    )
  }

  notifyCheckpointAborted(checkpointId: number): void {
    for (const { operator } of this.links) operator.notifyCheckpointAborted(checkpointId)
  }

  /** Makes visible what sinks still hold: at the end of a job. */
  async commitRest(): Promise<void> {
    for (const { operator } of this.links) {
      if (operator instanceof SinkOperator) await operator.commitRest()
    }
  }

  /** Closes all, whatever fails; then throws the first error. */
  close(settlement?: CommitSettlement): Promise<void> {
    return closeAll(this.links, settlement)
  }

  #interrupt(link: ChainLink): void {
    link.interrupted = true
    this.#interrupted++
  }

  #lastInterrupted(): ChainLink | undefined {
    return this.#interrupted === 0 ? undefined : this.links.findLast(link => link.interrupted)
  }
}

function head(links: readonly ChainLink[]): ChainLink {
  return assertDefined(links[0], 'a chain has a head')
}

function blockablesOf(links: readonly ChainLink[]): Blockables {
  return links
    .filter(({ node }) => node.spec.kind === 'sink' || node.spec.kind === 'async')
    .map(({ operator }) => (operator instanceof SinkOperator ? operator.brake : operator))
}

interface LinkOptions extends ChainOptions {
  readonly node: ChainedOperator
  readonly children: readonly ChainLink[]
  readonly outputs: OperatorOutputs
  /** The operators made so far: sparse, those in front are missing. */
  readonly behind: readonly ChainLink[]
}

function makeLink(options: LinkOptions): ChainLink {
  const { node, children, outputs, scope } = options
  const restore = options.restore?.operators.get(node.operatorId)
  const home = makeOperatorHome({ node, scope, outputs, restore })
  const operator = makeOperator(home, restore, options)
  return { node, operator, home, children, interrupted: false, deferred: MIN_TIMESTAMP }
}

function makeOperator(
  { context }: OperatorHome,
  restore: OperatorRestore | undefined,
  { node, sourceHooks, behind }: LinkOptions,
): StreamOperator {
  switch (node.spec.kind) {
    case 'source': {
      const hooks = sourceHooks(node.operatorId, blockablesOf(behind))
      return new SourceOperator(context, node.spec, hooks)
    }
    case 'sink':
      return new SinkOperator(context, node.spec.sink, {
        writerState: restore?.writerState ?? [],
        committables: restore?.committables ?? [],
      })
    default:
      return createOperator(node.spec, context)
  }
}

interface OutputParts extends ChainOptions {
  readonly node: ChainedOperator
  readonly children: readonly ChainLink[]
  readonly advance: (link: ChainLink, watermark: number) => void
}

function makeOutputs({
  node,
  children,
  advance,
  vertex,
  partitions,
}: OutputParts): OperatorOutputs {
  const own = node.networkOutputs.map(edge => {
    const partition = partitions[vertex.outputs.indexOf(edge)]
    return assertDefined(partition, `edge ${edge.id} has a partition`)
  })
  const targets = (tagId: string | undefined): Push[] => [
    ...node.chainedOutputs.flatMap((output, index) =>
      output.sideOutput?.id === tagId ? [inputOf(children[index] as ChainLink)] : [],
    ),
    ...node.networkOutputs.flatMap((edge, index) =>
      edge.sideOutput?.id === tagId ? [(own[index] as ResultPartition).push] : [],
    ),
  ]
  const sides = new Map<string, Push>()
  return {
    emit: fanOut(targets(undefined)),
    sideOutput: tagId => {
      let push = sides.get(tagId)
      if (push === undefined) {
        push = fanOut(targets(tagId))
        sides.set(tagId, push)
      }
      return push
    },
    emitWatermark: watermark => {
      for (const child of children) advance(child, watermark)
      for (const partition of own) partition.broadcast({ kind: 'watermark', watermark })
    },
    emitStatus: status => {
      for (const { operator } of children) operator.processStatus(status)
      for (const partition of own) partition.broadcast({ kind: 'status', status })
    },
  }
}

function inputOf(link: ChainLink): Push {
  const [input] = link.operator.inputs
  assert(input !== undefined, `H1: operator ${link.node.name} has an input when it is open`)
  return input
}

async function closeAll(links: readonly ChainLink[], settlement?: CommitSettlement): Promise<void> {
  const results = await Promise.allSettled(
    links.map(async ({ operator }) => {
      if (operator instanceof SinkOperator) await operator.close(settlement)
      else await operator.close()
    }),
  )
  for (const { home } of links) home.openKeyed()?.dispose()
  const failed = results.find(result => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
