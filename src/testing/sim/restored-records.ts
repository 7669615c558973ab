/** What was in flight in a restored checkpoint, channel by channel, for its new receiver. */
import type { InFlightItem } from '../../runtime/network/channel.ts'
import type { ChannelRestore } from '../../runtime/task-contract.ts'
import type { Protection } from './protections.ts'
import type { SimRecord } from './sim-exchange.ts'
import { accountOf, ownerOf } from './task-logic.ts'

/** As it is stored: a line a record. */
export function encodeRecords(items: readonly InFlightItem[]): readonly Buffer[] {
  const lines = items.flatMap(item => {
    if (item.kind !== 'records') return []
    return item.items.filter((_, index) => index % 2 === 0).map(record => JSON.stringify(record))
  })
  return lines.length === 0 ? [] : [Buffer.from(`${lines.join('\n')}\n`)]
}

export function decodeRecords(section: Buffer): readonly SimRecord[] {
  const lines = section.toString().split('\n')
  return lines.filter(line => line !== '').map(line => JSON.parse(line) as SimRecord)
}

export interface RestoredRecordsOptions {
  readonly channels: readonly ChannelRestore[]
  readonly index: number
  readonly parallelism: number
  readonly off: ReadonlySet<Protection>
}

export class RestoredRecords {
  readonly #channels: SimRecord[][]

  constructor({ channels, index, parallelism, off }: RestoredRecordsOptions) {
    const restored = off.has('channel-state-restored') ? [] : channels
    const isOwn = (record: SimRecord): boolean => {
      return ownerOf(accountOf(record), parallelism, off) === index
    }
    this.#channels = restored.map(({ sections, filtered }) => {
      const ordered = off.has('input-before-output') ? sections.toReversed() : sections
      const records = ordered.flatMap(decodeRecords)
      return filtered && !off.has('restored-filter') ? records.filter(isOwn) : records
    })
  }

  /** The next one of a channel that `pick` chooses among those that have any. */
  take(pick: (count: number) => number): SimRecord | undefined {
    const left = this.#channels.filter(channel => channel.length > 0)
    return left.length === 0 ? undefined : left[pick(left.length)]?.shift()
  }
}
