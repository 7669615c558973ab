/** Reads splits of transfers and emits both legs of each, a few at a time. */
import type { SourceSplit } from '../../api/source.ts'
import { legsOf } from './bank.ts'
import type { BankSplit } from './bank-job.ts'
import { emptyPart, type OperatorPart, type TaskLogic, type TaskPorts } from './task-logic.ts'

export class SourceLogic implements TaskLogic {
  readonly #ports: TaskPorts
  readonly #splits: { split: BankSplit; offset: number }[] = []
  readonly #counts = new Map<string, number>()
  #asked = false
  #noMore = false

  constructor(ports: TaskPorts) {
    this.#ports = ports
  }

  async open(): Promise<void> {}

  start(): void {
    const { scheduler, process } = this.#ports
    scheduler.after(scheduler.between(0.2, 4), process, () => this.#turn())
  }

  record(): void {}
  prepare(): void {}

  cut(): OperatorPart {
    const splits = this.#splits.map(({ split, offset }) => ({ ...split, offset }))
    return { ...emptyPart, splits }
  }

  complete(): void {}
  async finish(): Promise<void> {}

  addSplits(splits: readonly SourceSplit[]): void {
    this.#asked = false
    for (const split of splits as readonly BankSplit[]) {
      this.#splits.push({ split, offset: split.offset })
    }
  }

  noMoreSplits(): void {
    this.#noMore = true
  }

  recordsPerSplit(): { readonly [splitId: string]: number } {
    return Object.fromEntries(this.#counts)
  }

  #turn(): void {
    const { isOver, end, flush, listener, mayEmit, operatorId, scheduler } = this.#ports
    if (isOver()) return
    for (let left = 1 + scheduler.random.int(3); left > 0 && mayEmit(); left--) this.#emit()
    flush()
    if (this.#splits.length === 0) {
      if (this.#noMore) {
        end()
        return
      }
      if (!this.#asked) listener.requestSplit(operatorId)
      this.#asked = true
    }
    this.start()
  }

  #emit(): void {
    const { bank, emit } = this.#ports
    const reading = this.#splits[0]
    if (reading === undefined) return
    const { split, id } = reading.split
    // Both legs in one step: no barrier comes between them.
    for (const leg of legsOf(bank, split, reading.offset)) emit({ kind: 'leg', leg })
    reading.offset++
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1)
    if (reading.offset === bank.splits[split]?.length) this.#splits.shift()
  }
}
