/** Keeps the balance of each account, and sends on every booking. */
import type { KeyedSnapshot, StateMeta } from '../../state/keyed-state-backend.ts'
import { INITIAL_BALANCE } from './bank.ts'
import type { SimRecord } from './sim-exchange.ts'
import {
  emptyPart,
  groupOf,
  type OperatorPart,
  type TaskLogic,
  type TaskPorts,
} from './task-logic.ts'

/** The accounts of one key group with their balances. */
export type StoredBalances = readonly (readonly [account: number, balance: number])[]

const states: readonly StateMeta[] = [
  { name: 'balance', kind: 'value', schema: {}, version: 1, ttl: false },
]

export class SumLogic implements TaskLogic {
  readonly #ports: TaskPorts
  readonly #balances = new Map<number, number>()

  constructor(ports: TaskPorts) {
    this.#ports = ports
  }

  async open(): Promise<void> {
    for (const { groups } of this.#ports.restored?.keyed ?? []) {
      for (const { bytes } of groups) {
        for (const [account, balance] of JSON.parse(bytes.toString()) as StoredBalances) {
          this.#balances.set(account, balance)
        }
      }
    }
  }

  start(): void {}

  record(record: SimRecord): void {
    if (record.kind !== 'leg') return
    const { leg } = record
    const balance = (this.#balances.get(leg.account) ?? INITIAL_BALANCE) + leg.delta
    this.#balances.set(leg.account, balance)
    this.#ports.emit({ kind: 'booking', booking: { ...leg, balance } })
  }

  prepare(): void {}

  cut(): OperatorPart {
    const byGroup = Map.groupBy(this.#balances, ([account]) => groupOf(account))
    const chunks: Buffer[] = []
    let offset = 0
    const groups = [...byGroup]
      .sort(([a], [b]) => a - b)
      .map(([keyGroup, entries]) => {
        const chunk = Buffer.from(JSON.stringify(entries))
        chunks.push(chunk)
        const group = { keyGroup, offset, length: chunk.length }
        offset += chunk.length
        return group
      })
    const keyed: KeyedSnapshot = { states, groups, chunks }
    return { ...emptyPart, keyed }
  }

  complete(): void {}
  async finish(): Promise<void> {}
  addSplits(): void {}
  noMoreSplits(): void {}
  recordsPerSplit(): { readonly [splitId: string]: number } {
    return {}
  }
}
