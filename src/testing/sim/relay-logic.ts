/** Sends on each leg as a booking: between slices nobody can know an account's balance. */
import type { SimRecord } from './sim-exchange.ts'
import { emptyPart, type OperatorPart, type TaskLogic, type TaskPorts } from './task-logic.ts'

export class RelayLogic implements TaskLogic {
  readonly #ports: TaskPorts

  constructor(ports: TaskPorts) {
    this.#ports = ports
  }

  async open(): Promise<void> {}
  start(): void {}

  record(record: SimRecord): void {
    if (record.kind !== 'leg') return
    this.#ports.emit({ kind: 'booking', booking: { ...record.leg, balance: 0 } })
  }

  prepare(): void {}

  cut(): OperatorPart {
    return emptyPart
  }

  complete(): void {}
  async finish(): Promise<void> {}
  addSplits(): void {}
  noMoreSplits(): void {}
  recordsPerSplit(): { readonly [splitId: string]: number } {
    return {}
  }
}
