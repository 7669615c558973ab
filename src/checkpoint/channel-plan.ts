/**
 * Which data in flight each subtask gets back. All of it goes to receivers, that of the senders'
 * side too: a receiver takes it before anything new, so a record never waits for a second hop.
 *
 * Owns        the division of channels among the receivers of a new parallelism.
 * Leaves out  records: where a channel's records belong to several receivers, each of them gets the
 *             channel and takes its own.
 *
 * Invariants
 *  CP1  What was in flight goes to exactly one receiver, or to several of which each takes the
 *       records that its partitioner gives it now. Of a broadcast each receiver has a copy.
 *  CP2  What was on one channel stays in its order: the receiver's side, then the sender's.
 *  CP3  Each receiver knows a watermark of every sender that could send to it: event time is never
 *       ahead of what a sender has promised.
 *
 *  edge                      goes to
 *  key                       all whose key groups meet those of the old receiver, filtered
 *  rebalance, shuffle,       receiver `old mod new`
 *  forward, rescale
 *  custom                    all, filtered
 *  global                    receiver 0
 *  broadcast                 receiver i gets what was on its way to `i mod old`, like the broadcast
 *                            state that goes with it (`state/redistribution.ts`)
 */
import { assert } from '../common/assert.ts'
import { type KeyGroupRange, keyGroupRange } from '../state/key-groups.ts'
import { checkpointErrors } from './checkpoint-errors.ts'
import type {
  CheckpointMetadata,
  EdgeDescription,
  EdgeMetadata,
  StoredChannel,
} from './checkpoint-metadata.ts'
import type { ChannelMarkHandle, Section } from './snapshot-handle.ts'

/** One old channel for a new receiver. Plain JSON. */
export interface ChannelPiece {
  readonly edgeId: string
  /** Old sender and receiver. */
  readonly from: number
  readonly to: number
  readonly mark: ChannelMarkHandle
  /** In order (CP2). */
  readonly parts: readonly { readonly file: string; readonly section: Section }[]
  /** Others get it too: only the records that are the receiver's own count. */
  readonly filtered: boolean
  /** Its records were stored with their coordinates. */
  readonly isLocated?: boolean
}

export interface ChannelRequirements {
  readonly metadata: CheckpointMetadata
  /** For messages. */
  readonly path: string
  /** The edges of the job as it is now. */
  readonly edges: readonly EdgeDescription[]
  /**
   * What may be given up where it cannot be kept: operators (uid or id), and `in-flight` for data
   * in flight whatever its operators. It stays in force over restarts, so it never gives up what
   * fits.
   */
  readonly dropState: readonly string[]
}

export interface ChannelPlan {
  /** By receiving vertex, then by new subtask. */
  readonly vertices: ReadonlyMap<string, readonly (readonly ChannelPiece[])[]>
  /** For people: which data was given up. */
  readonly givenUp: readonly string[]
}

/** In `dropState`: data in flight. */
export const IN_FLIGHT = 'in-flight'

const nothingKnown: ChannelMarkHandle = { watermark: 'none', idle: false }

/** Throws WEIR_RESTORE_IN_FLIGHT. */
export function planChannels(requirements: ChannelRequirements): ChannelPlan {
  const { metadata, edges } = requirements
  const plan = new Map<string, readonly (readonly ChannelPiece[])[]>()
  const givenUp: string[] = []
  const kept = metadata.edges.filter(edge => {
    const lost = lossOf(edge, requirements)
    if (lost !== undefined) givenUp.push(lost)
    return lost === undefined
  })
  const stored = new Map(
    kept.map(edge => [edge.edgeId, { ...edge, channels: channelsOf(edge) }] as const),
  )
  for (const [vertexId, inputs] of Map.groupBy(edges, edge => edge.vertexId)) {
    if (!inputs.some(edge => stored.has(edge.edgeId))) continue
    const { parallelism } = inputs[0] as EdgeDescription
    const subtasks = Array.from({ length: parallelism }, (_, index) =>
      inputs.flatMap(edge => piecesOf(stored.get(edge.edgeId), edge, index)),
    )
    plan.set(vertexId, subtasks)
  }
  for (const edge of stored.values()) assertAllGiven(edge, plan.get(edge.vertexId) ?? [])
  return { vertices: plan, givenUp }
}

/** Spread over the receivers without a rule that a record could break. */
const spread: ReadonlySet<string> = new Set(['rebalance', 'shuffle', 'forward', 'rescale'])

/** What is given up with this edge, `undefined` for nothing. Throws where it may not be lost. */
function lossOf(stored: EdgeMetadata, requirements: ChannelRequirements): string | undefined {
  const { metadata, path, edges, dropState } = requirements
  const sections = stored.channels.flatMap(({ section }) => section ?? [])
  const wanted = edges.find(edge => edge.edgeId === stored.edgeId)
  const change = wanted === undefined ? 'which the job does not have' : changeOf(stored, wanted)
  if (change === undefined || sections.length === 0) return undefined
  const ends = [stored.fromOperatorId, stored.vertexId].map(id => {
    const found = metadata.operators.find(operator => operator.operatorId === id)
    return { names: [IN_FLIGHT, id, found?.uid ?? id], shown: found?.name ?? id }
  })
  const [from = '', to = ''] = ends.map(end => end.shown)
  if (!ends.some(({ names }) => names.some(name => dropState.includes(name)))) {
    throw checkpointErrors.WEIR_RESTORE_IN_FLIGHT({ path, from, to, change })
  }
  const bytes = sections.reduce((sum, section) => sum + section.length, 0)
  const size = bytes.toLocaleString('en-US')
  return `gave up ${size} bytes in flight from ${from} to ${to}, ${change}`
}

function changeOf(stored: EdgeMetadata, wanted: EdgeDescription): string | undefined {
  const [before, now] = [stored.partitioner, wanted.partitioner]
  if (before !== now && !(spread.has(before) && spread.has(now))) {
    return `which were divided by ${before} and are divided by ${now} now`
  }
  if (JSON.stringify(stored.schema) === JSON.stringify(wanted.schema)) return undefined
  return 'whose records have another type now'
}

/** An old channel: what both of its ends have stored. */
interface Channel {
  readonly from: number
  readonly to: number
  readonly mark: ChannelMarkHandle
  readonly parts: ChannelPiece['parts']
}

interface StoredEdge extends EdgeDescription {
  readonly channels: readonly Channel[]
}

function piecesOf(
  stored: StoredEdge | undefined,
  wanted: EdgeDescription,
  index: number,
): readonly ChannelPiece[] {
  const { edgeId } = wanted
  const empty = { edgeId, from: 0, to: 0, parts: [], filtered: false }
  // A sender that nothing is known of holds event time back (CP3).
  if (stored === undefined) return [{ ...empty, mark: nothingKnown }]
  const { channels, isLocated } = stored
  const share = shareOf({ stored, wanted, index })
  const pieces = channels.flatMap((channel): readonly ChannelPiece[] => {
    const given = share(channel.to)
    const piece = { ...channel, edgeId, filtered: given === 'filtered' }
    return given === 'none' ? [] : [isLocated === true ? { ...piece, isLocated } : piece]
  })
  // Pointwise, and the senders are the same ones.
  const isSame = wanted.partitioner === 'forward' && stored.parallelism === wanted.parallelism
  const known = new Set(pieces.map(piece => piece.from))
  if (isSame || channels.every(channel => known.has(channel.from))) return pieces
  return [...pieces, { ...empty, mark: least(channels.map(channel => channel.mark)) }]
}

function channelsOf({ channels }: EdgeMetadata): readonly Channel[] {
  const byRoute = Map.groupBy(channels, ({ from, to }) => `${from}>${to}`)
  return [...byRoute.values()].map(sides => {
    const input = sides.find(side => side.direction === 'input')
    const output = sides.find(side => side.direction === 'output')
    const { from, to } = sides[0] as StoredChannel
    const parts = [input, output].flatMap(side => {
      if (side?.section === undefined) return []
      assert(side.file !== undefined, 'CP1: what was in flight has a file')
      return [{ file: side.file, section: side.section }]
    })
    return { from, to, mark: input?.mark ?? nothingKnown, parts }
  })
}

type Share = 'none' | 'whole' | 'filtered'

/** What the receiver `index` gets of what was on its way to an old receiver. */
function shareOf({
  stored,
  wanted,
  index,
}: {
  readonly stored: StoredEdge
  readonly wanted: EdgeDescription
  readonly index: number
}): (oldReceiver: number) => Share {
  const { parallelism, maxParallelism } = wanted
  const sameGroups = stored.maxParallelism === maxParallelism
  const isKeyed = wanted.partitioner === 'key'
  if (stored.parallelism === parallelism && (sameGroups || !isKeyed)) {
    return old => (old === index ? 'whole' : 'none')
  }
  switch (wanted.partitioner) {
    case 'key': {
      if (!sameGroups) return () => 'filtered'
      const own = keyGroupRange(index, maxParallelism, parallelism)
      return old => overlap(keyGroupRange(old, maxParallelism, stored.parallelism), own)
    }
    case 'custom':
      return () => 'filtered'
    case 'global':
      return () => (index === 0 ? 'whole' : 'none')
    case 'broadcast':
      return old => (old === index % stored.parallelism ? 'whole' : 'none')
    default:
      return old => (old % parallelism === index ? 'whole' : 'none')
  }
}

function overlap(old: KeyGroupRange, own: KeyGroupRange): Share {
  if (old.start > own.end || old.end < own.start) return 'none'
  return old.start >= own.start && old.end <= own.end ? 'whole' : 'filtered'
}

/** What all these channels together have promised: see the watermark valve. */
function least(marks: readonly ChannelMarkHandle[]): ChannelMarkHandle {
  const unfinished = marks.filter(mark => mark.watermark !== 'end').toSorted(byWatermark)
  const active = unfinished.find(mark => !mark.idle)
  return active ?? unfinished.at(-1) ?? { watermark: 'end', idle: false }
}

function byWatermark(a: ChannelMarkHandle, b: ChannelMarkHandle): number {
  const rank = ({ watermark }: ChannelMarkHandle): number =>
    typeof watermark === 'number' ? watermark : Number.NEGATIVE_INFINITY
  const [first, second] = [rank(a), rank(b)]
  return first === second ? 0 : first < second ? -1 : 1
}

function assertAllGiven(
  { edgeId, channels, partitioner }: StoredEdge,
  subtasks: readonly (readonly ChannelPiece[])[],
): void {
  const given = subtasks.flat().filter(one => one.edgeId === edgeId && one.parts.length > 0)
  const byRoute = Map.groupBy(given, ({ from, to }) => `${from}>${to}`)
  for (const { from, to, parts } of channels) {
    if (parts.length === 0 || partitioner === 'broadcast') continue
    const takers = byRoute.get(`${from}>${to}`) ?? []
    const isShared = takers.length > 0 && takers.every(piece => piece.filtered)
    assert(isShared || takers.length === 1, 'CP1: data in flight is neither lost nor doubled')
  }
}
