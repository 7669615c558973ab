/** What all processes of a simulation share. */
import type { Bank } from './bank.ts'
import type { Checkers } from './checkers.ts'
import type { Ledger } from './ledger.ts'
import type { Protection } from './protections.ts'
import type { Scenario } from './scenario.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimDisk } from './sim-store.ts'

export interface SimWorld {
  readonly scheduler: Scheduler
  readonly scenario: Scenario
  readonly bank: Bank
  readonly jobId: string
  readonly disk: SimDisk
  readonly ledger: Ledger
  readonly checkers: Checkers
  /** Protections that are switched off. */
  readonly off: ReadonlySet<Protection>
}
