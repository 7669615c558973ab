/**
 * Which channel of an edge gets a record. Each maker below is cloned for each edge of each subtask
 * (`cloneFunction`), so it uses its arguments only.
 */
import type { Key } from '../../api/functions.ts'
import type { Partitioner } from '../../api/transformation.ts'
import { assert } from '../../common/assert.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { Random } from '../../common/random.ts'
import { foldKey, hashKey } from '../../state/key.ts'
import { murmurHash, subtaskOfKeyGroup } from '../../state/key-groups.ts'

/** The index of the channel for this value. */
export type ChannelSelector = (value: unknown) => number

export interface SelectorOptions {
  readonly partitioner: Partitioner
  readonly channels: number
  readonly subtaskIndex: number
  readonly maxParallelism: number
  readonly random: Random
  /** Throws an error of a user's selector as one that names the operator. */
  readonly fail: (error: unknown) => never
  /** Where a record goes whose key selector throws; `undefined`: it fails. */
  readonly badKeysTo?: number | undefined
}

/**
 * The selector of an edge with more than one channel; `undefined` where all records take channel 0.
 * Not for `broadcast`, which selects nothing.
 */
export function makeChannelSelector(options: SelectorOptions): ChannelSelector | undefined {
  const { partitioner, channels, subtaskIndex, random, fail, badKeysTo } = options
  if (channels === 1) return undefined
  switch (partitioner.kind) {
    case 'forward':
    case 'global':
      return undefined
    case 'key': {
      const owners = ownersOfKeyGroups(options)
      const parts = { foldKey, hashKey, murmurHash, fail, badKeysTo }
      return cloneFunction(makeKeySelector)(partitioner.selector, owners, parts)
    }
    case 'custom':
      return cloneFunction(makeCustomSelector)(partitioner, channels, fail)
    case 'rebalance':
    case 'rescale':
      // Each sender begins elsewhere, so that few records spread evenly too.
      return cloneFunction(makeRoundRobinSelector)(channels, subtaskIndex % channels)
    case 'shuffle':
      return cloneFunction(makeRandomSelector)(channels, random)
    case 'broadcast':
      assert(false, 'a broadcast edge selects no channel')
  }
}

/** Key group -> subtask, as a table: a division per record less. */
function ownersOfKeyGroups({ maxParallelism, channels }: SelectorOptions): Uint16Array {
  const owners = new Uint16Array(maxParallelism)
  for (let group = 0; group < maxParallelism; group++) {
    owners[group] = subtaskOfKeyGroup(group, maxParallelism, channels)
  }
  return owners
}

interface KeyParts {
  readonly foldKey: typeof foldKey
  readonly hashKey: typeof hashKey
  readonly murmurHash: typeof murmurHash
  readonly fail: (error: unknown) => never
  readonly badKeysTo: number | undefined
}

function makeKeySelector(
  selector: (value: unknown) => Key,
  owners: Uint16Array,
  { foldKey, hashKey, murmurHash, fail, badKeysTo }: KeyParts,
): ChannelSelector {
  const groups = owners.length
  return value => {
    let hash = 0
    try {
      const key = selector(value)
      hash = typeof key === 'number' && (key | 0) === key ? key | 0 : hashKey(foldKey(key))
    } catch (error) {
      return badKeysTo ?? fail(error)
    }
    return owners[murmurHash(hash) % groups] as number
  }
}

function makeCustomSelector(
  partitioner: Extract<Partitioner, { kind: 'custom' }>,
  channels: number,
  fail: (error: unknown) => never,
): ChannelSelector {
  const { selector, partition } = partitioner
  return value => {
    try {
      const channel = partition(selector(value), channels)
      if (channel >= 0 && channel < channels && Number.isInteger(channel)) return channel
      throw new RangeError(`the partitioner returned ${channel}, not 0 to ${channels - 1}`)
    } catch (error) {
      return fail(error)
    }
  }
}

function makeRoundRobinSelector(channels: number, first: number): ChannelSelector {
  let next = first
  return () => {
    const channel = next
    next = channel + 1 === channels ? 0 : channel + 1
    return channel
  }
}

function makeRandomSelector(channels: number, random: Random): ChannelSelector {
  return () => random.int(channels)
}
