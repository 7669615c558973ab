import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type ChannelPiece, planChannels } from '../../src/checkpoint/channel-plan.ts'
import {
  buildMetadata,
  type CheckpointMetadata,
  type EdgeDescription,
  type PartitionerKind,
} from '../../src/checkpoint/checkpoint-metadata.ts'
import type { ChannelMarkHandle } from '../../src/checkpoint/snapshot-handle.ts'
import type { ChannelPart } from '../../src/checkpoint/state-file.ts'
import { subtaskOfKeyGroup } from '../../src/state/key-groups.ts'
import { description, subtaskHandle } from './snapshot-parts.ts'

const GROUPS = 128
const path = '/store/j/chk-7'

function edge(
  partitioner: PartitionerKind,
  parallelism: number,
  change: Partial<EdgeDescription> = {},
): EdgeDescription {
  return {
    edgeId: 'a->b/0',
    fromOperatorId: 'a',
    vertexId: 'b',
    partitioner,
    schema: { kind: 'string' },
    parallelism,
    maxParallelism: GROUPS,
    ...change,
  }
}

interface Stored {
  readonly edges: readonly EdgeDescription[]
  readonly senders: number
  /** Whether a channel has anything in flight, on either side. */
  readonly has?: (from: number, to: number, direction: 'input' | 'output') => boolean
  readonly mark?: (from: number, to: number) => ChannelMarkHandle
  /** Which senders lead to which receivers; absent: all to all. */
  readonly wired?: (from: number, to: number) => boolean
}

/** A checkpoint with data in flight on these edges, from `senders` subtasks each. */
function metadataOf({ edges, senders, mark, ...stored }: Stored): CheckpointMetadata {
  const { has = () => true, wired = () => true } = stored
  const none: ChannelMarkHandle = { watermark: 'none', idle: false }
  const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
  const receivers = edges[0]?.parallelism ?? 0
  const inputs = range(receivers).map(to => {
    const channels = edges.flatMap(({ edgeId }) =>
      range(senders)
        .filter(from => wired(from, to))
        .map((from): ChannelPart => {
          const chunks = has(from, to, 'input') ? [Buffer.from(`${edgeId} ${from}>${to} in`)] : []
          return { edgeId, from, to, direction: 'input', mark: mark?.(from, to) ?? none, chunks }
        }),
    )
    return subtaskHandle('b', to, { inFlight: channels }).handle
  })
  const outputs = range(senders).map(from => {
    const channels = edges.flatMap(({ edgeId }) =>
      range(receivers).flatMap((to): ChannelPart[] => {
        if (!has(from, to, 'output') || !wired(from, to)) return []
        const chunks = [Buffer.from(`${edgeId} ${from}>${to} out`)]
        return [{ edgeId, from, to, direction: 'output', mark: undefined, chunks }]
      }),
    )
    return subtaskHandle('a', from, { inFlight: channels }).handle
  })
  return buildMetadata({
    kind: 'checkpoint',
    checkpointId: 7,
    jobId: 'j',
    jobName: 'j',
    generation: 1,
    triggeredAtMs: 0,
    completedAtMs: 0,
    operators: [description('a', senders), description('b', receivers)],
    edges,
    subtasks: [...inputs, ...outputs],
    enumerators: new Map(),
    proofBefore: undefined,
  })
}

function plan(
  metadata: CheckpointMetadata,
  edges: readonly EdgeDescription[],
  dropState: readonly string[] = [],
): readonly (readonly ChannelPiece[])[] {
  return planChannels({ metadata, path, edges, dropState }).vertices.get('b') ?? []
}

/** `0>2*`: the channel from 0 to 2, filtered; `0>0:12` where only a watermark is given. */
function short(pieces: readonly ChannelPiece[]): string {
  return pieces
    .map(({ from, to, parts, filtered, mark }) => {
      if (parts.length === 0) return `:${mark.idle ? 'idle ' : ''}${mark.watermark}`
      return `${from}>${to}${filtered ? '*' : ''}`
    })
    .join(' ')
}

interface Case {
  readonly kind: PartitionerKind
  readonly from: number
  readonly to: number
  readonly senders?: number
  readonly wanted: readonly string[]
}

const cases: Record<string, Case> = {
  'the same parallelism: everybody gets its own back': {
    kind: 'key',
    from: 2,
    to: 2,
    senders: 2,
    wanted: ['0>0 1>0', '0>1 1>1'],
  },
  'key, more receivers: what several have to share is filtered': {
    kind: 'key',
    from: 2,
    to: 4,
    wanted: ['0>0*', '0>0*', '0>1*', '0>1*'],
  },
  'key, fewer receivers: nothing to filter': {
    kind: 'key',
    from: 4,
    to: 1,
    wanted: ['0>0 0>1 0>2 0>3'],
  },
  'key, ranges that cross': { kind: 'key', from: 3, to: 2, wanted: ['0>0 0>1*', '0>1* 0>2'] },
  'rebalance: in turn': { kind: 'rebalance', from: 5, to: 2, wanted: ['0>0 0>2 0>4', '0>1 0>3'] },
  'shuffle, more receivers: the new ones get the watermark only': {
    kind: 'shuffle',
    from: 2,
    to: 3,
    wanted: ['0>0', '0>1', ':none'],
  },
  'custom: everything to everybody, filtered': {
    kind: 'custom',
    from: 2,
    to: 3,
    wanted: ['0>0* 0>1*', '0>0* 0>1*', '0>0* 0>1*'],
  },
  'custom at the same parallelism: its own, whatever the partitioner would say now': {
    kind: 'custom',
    from: 2,
    to: 2,
    wanted: ['0>0', '0>1'],
  },
  'global: all to the first': { kind: 'global', from: 1, to: 2, wanted: ['0>0', ':none'] },
  'broadcast: copies, as of the state': {
    kind: 'broadcast',
    from: 2,
    to: 4,
    wanted: ['0>0', '0>1', '0>0', '0>1'],
  },
}

describe('which receiver gets what was in flight', () => {
  test.each(Object.entries(cases))('%s', (_sentence, { kind, from, to, senders = 1, wanted }) => {
    const metadata = metadataOf({ edges: [edge(kind, from)], senders })
    expect(plan(metadata, [edge(kind, to)]).map(short)).toEqual(wanted)
  })

  test('CP2: of one channel the part of the receiver comes before that of the sender', () => {
    const metadata = metadataOf({ edges: [edge('key', 1)], senders: 1 })
    const [piece] = plan(metadata, [edge('key', 1)])[0] ?? []
    expect(piece?.parts.map(part => part.file)).toEqual(['b-0.state', 'a-0.state'])
  })

  test('an aligned checkpoint has nothing to give', () => {
    const metadata = metadataOf({ edges: [], senders: 1 })
    expect(metadata.formatVersion).toBe(1)
    expect(plan(metadata, [edge('key', 2)])).toEqual([])
  })

  test('CP1: by key, each group of each channel goes to exactly one receiver', () => {
    const size = fc.integer({ min: 1, max: 20 })
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 3 }), (from, to, senders) => {
        const subtasks = plan(metadataOf({ edges: [edge('key', from)], senders }), [
          edge('key', to),
        ])
        for (let group = 0; group < GROUPS; group++) {
          const old = subtaskOfKeyGroup(group, GROUPS, from)
          const owner = subtaskOfKeyGroup(group, GROUPS, to)
          for (let sender = 0; sender < senders; sender++) {
            const takers = subtasks.flatMap((pieces, index) =>
              pieces.some(piece => {
                if (piece.from !== sender || piece.to !== old) return false
                return !piece.filtered || owner === index
              })
                ? [index]
                : [],
            )
            expect(takers).toEqual([owner])
          }
        }
      }),
    )
  })
})

describe('CP3: event time is never ahead of what a sender promised', () => {
  const mark = (from: number, to: number): ChannelMarkHandle => {
    return { watermark: 100 + from * 10 + to, idle: false }
  }

  test('each channel keeps its watermark', () => {
    const metadata = metadataOf({ edges: [edge('key', 2)], senders: 2, mark })
    const subtasks = plan(metadata, [edge('key', 2)])
    expect(subtasks.map(pieces => pieces.map(piece => piece.mark.watermark))).toEqual([
      [100, 110],
      [101, 111],
    ])
  })

  test('who gets none of a sender, gets the least that was promised to anybody', () => {
    const metadata = metadataOf({ edges: [edge('rebalance', 2)], senders: 2, mark })
    expect(plan(metadata, [edge('rebalance', 3)]).map(short)[2]).toBe(':100')
  })

  test('a pointwise edge: its own, or at another parallelism all that was promised', () => {
    const wired = (from: number, to: number): boolean => from === to
    const metadata = metadataOf({ edges: [edge('forward', 3)], senders: 3, mark, wired })
    expect(plan(metadata, [edge('forward', 3)]).map(short)).toEqual(['0>0', '1>1', '2>2'])
    expect(plan(metadata, [edge('forward', 2)]).map(short)).toEqual(['0>0 2>2 :100', '1>1 :100'])
  })

  test('idle and finished channels do not hold it back', () => {
    const marks: Record<string, ChannelMarkHandle> = {
      '0': { watermark: 5, idle: true },
      '1': { watermark: 'end', idle: false },
      '2': { watermark: 50, idle: false },
    }
    const of = (used: readonly string[]): string => {
      const metadata = metadataOf({
        edges: [edge('rebalance', 1)],
        senders: used.length,
        has: () => false,
        mark: from => marks[used[from] as string] as ChannelMarkHandle,
      })
      return short(plan(metadata, [edge('rebalance', 2)])[1] ?? [])
    }
    expect(of(['0', '1', '2'])).toBe(':50')
    expect(of(['0', '1'])).toBe(':idle 5')
    expect(of(['1'])).toBe(':end')
  })

  test('an edge that nothing is known of holds event time back', () => {
    const metadata = metadataOf({ edges: [edge('key', 1)], senders: 1, mark })
    const added = edge('key', 1, { edgeId: 'c->b/1', fromOperatorId: 'c' })
    expect(plan(metadata, [edge('key', 1), added]).map(short)).toEqual(['0>0 :none'])
  })
})

describe('a changed job', () => {
  const stored = metadataOf({ edges: [edge('key', 2)], senders: 1 })
  const refuse = (edges: readonly EdgeDescription[], dropState?: readonly string[]) => () =>
    plan(stored, edges, dropState)

  test.each([
    ['without the edge', [], 'which the job does not have'],
    [
      'with another partitioner',
      [edge('rebalance', 2)],
      'which were divided by key and are divided by rebalance now',
    ],
    [
      'with another type',
      [edge('key', 2, { schema: { kind: 'int32' } })],
      'whose records have another type now',
    ],
  ])('%s is refused by name, with the remedy', (_sentence, edges, change) => {
    expect(refuse(edges)).toThrow(
      expect.objectContaining({
        code: 'WEIR_RESTORE_IN_FLIGHT',
        message: `${path} holds data in flight from a to b, ${change}`,
        next: expect.stringMatching(/take a savepoint/),
      }),
    )
  })

  test.each(['a', 'b', 'in-flight'])('unless it may be lost, and then says so: %s', name => {
    const { vertices, givenUp } = planChannels({
      metadata: stored,
      path,
      edges: [],
      dropState: [name],
    })
    expect([vertices.size, givenUp]).toEqual([
      0,
      ['gave up 54 bytes in flight from a to b, which the job does not have'],
    ])
  })

  test('what fits is never lost: names to drop stay in force over restarts', () => {
    const edges = [edge('key', 2)]
    const { givenUp } = planChannels({
      metadata: stored,
      path,
      edges,
      dropState: ['a', 'b', 'in-flight'],
    })
    expect(givenUp).toEqual([])
    expect(plan(stored, edges, ['a', 'b', 'in-flight']).map(short)).toEqual(['0>0', '0>1'])
  })

  test('is not refused where nothing was in flight', () => {
    const empty = metadataOf({ edges: [edge('key', 2)], senders: 1, has: () => false })
    expect(plan(empty, [])).toEqual([])
  })

  test('edges that spread records without a rule may take the place of each other', () => {
    const spread = metadataOf({ edges: [edge('rebalance', 2)], senders: 1 })
    expect(plan(spread, [edge('forward', 1)]).map(short)).toEqual(['0>0 0>1'])
  })

  test('another number of key groups lets every receiver look at everything', () => {
    const [first] = plan(stored, [edge('key', 2, { maxParallelism: 64 })])
    expect(short(first ?? [])).toBe('0>0* 0>1*')
  })
})
