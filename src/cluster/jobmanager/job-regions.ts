/**
 * The failover regions of one attempt of the job: which attempt of each runs, and how the slots of
 * it are reached.
 *
 * Owns        the number and the phase of each region's attempt.
 * Leaves out  when regions start and stop (`job-attempt.ts`, `region-failover.ts`).
 *
 * Invariants
 *  JR1  A region is deployed again only after every slot said that its attempt before is over.
 *  JR2  Nobody is told anything of an attempt that was cancelled, and nothing is heard of it but
 *       that it is over, and what else failed in it.
 */
import { assert, assertDefined } from '../../common/assert.ts'
import type { ExecutionPlan, Subtask } from '../../graph/execution-plan.ts'
import { failoverRegions } from '../../graph/failover-regions.ts'
import type { CommitSettlement } from '../../runtime/task-contract.ts'
import type { RegionAttempt, SlotCommandBody, SlotEvent, SlotGateway } from '../slot-messages.ts'

type SlotOrder = Exclude<SlotCommandBody, { readonly kind: 'deploy' | 'cancel' }>
type Deploy = Extract<SlotCommandBody, { readonly kind: 'deploy' }>

interface Region {
  readonly index: number
  readonly subtasks: readonly Subtask[]
  readonly slots: readonly number[]
  attempt: number
  phase: 'idle' | 'deployed' | 'stopping'
  /** That have not said yet that they stopped. */
  readonly stopping: Set<number>
  whenIdle: PromiseWithResolvers<void>
}

export class JobRegions {
  readonly #regions: readonly Region[]
  /** By subtask. */
  readonly #bySubtask: ReadonlyMap<string, Region>
  readonly #slots: readonly SlotGateway[]

  constructor(plan: ExecutionPlan, slots: readonly SlotGateway[]) {
    this.#slots = slots
    this.#regions = failoverRegions(plan).map(region => ({
      ...region,
      attempt: -1,
      phase: 'idle',
      stopping: new Set(),
      whenIdle: Promise.withResolvers(),
    }))
    this.#bySubtask = new Map(
      this.#regions.flatMap(region => region.subtasks.map(({ id }) => [id, region] as const)),
    )
  }

  get all(): readonly number[] {
    return this.#regions.map(({ index }) => index)
  }

  subtasksOf(regions: Iterable<number>): readonly Subtask[] {
    return [...regions].flatMap(index => this.#region(index).subtasks)
  }

  /** Ascending. */
  slotsOf(regions: Iterable<number>): readonly number[] {
    const slots = [...regions].flatMap(index => this.#region(index).slots)
    return [...new Set(slots)].sort((a, b) => a - b)
  }

  /** Whether an event is of an attempt that runs; of one that stops, only its end and why (JR2). */
  hears({ region, attempt, kind }: SlotEvent): boolean {
    const found = this.#regions[region]
    if (found?.attempt !== attempt || found.phase === 'idle') return false
    return found.phase === 'deployed' || kind === 'cancelled' || kind === 'failed'
  }

  isIdle(index: number): boolean {
    return this.#region(index).phase === 'idle'
  }

  deploy(
    { region: index, attempt }: RegionAttempt,
    order: (slot: number, subtasks: readonly Subtask[]) => Deploy,
  ): void {
    const region = this.#region(index)
    assert(region.phase === 'idle', 'JR1: the attempt before is over')
    region.attempt = attempt
    region.phase = 'deployed'
    region.whenIdle = Promise.withResolvers()
    for (const slot of region.slots) {
      const subtasks = region.subtasks.filter(subtask => subtask.index === slot)
      this.#send(region, slot, order(slot, subtasks))
    }
  }

  /** Tells the subtask's slot. */
  tell(subtask: string, order: SlotOrder): void {
    const region = assertDefined(this.#bySubtask.get(subtask), `${subtask} is of the job`)
    const slot = Number(subtask.slice(subtask.lastIndexOf('/') + 1))
    if (region.phase === 'deployed') this.#send(region, slot, order)
  }

  /** What concerns the slot as a whole, and is heard by whichever of its attempts runs. */
  tellSlot(slot: number, order: SlotOrder): void {
    const region = this.#regions.find(one => one.phase === 'deployed' && one.slots.includes(slot))
    if (region !== undefined) this.#send(region, slot, order)
  }

  tellAll(order: SlotOrder): void {
    for (const region of this.#regions) {
      if (region.phase !== 'deployed') continue
      for (const slot of region.slots) this.#send(region, slot, order)
    }
  }

  /** Resolves when nothing of the region runs any more. */
  async stop(index: number, settlement?: CommitSettlement): Promise<void> {
    const region = this.#region(index)
    if (region.phase === 'idle') return
    if (region.phase === 'deployed') {
      region.phase = 'stopping'
      for (const slot of region.slots) region.stopping.add(slot)
      for (const slot of region.slots) this.#send(region, slot, { kind: 'cancel', settlement })
    }
    await region.whenIdle.promise
  }

  stopped(index: number, slot: number): void {
    const region = this.#region(index)
    region.stopping.delete(slot)
    if (region.phase !== 'stopping' || region.stopping.size > 0) return
    region.phase = 'idle'
    region.whenIdle.resolve()
  }

  #region(index: number): Region {
    return assertDefined(this.#regions[index], `the job has region ${index}`)
  }

  #send({ index: region, attempt }: Region, slot: number, body: SlotCommandBody): void {
    this.#slots[slot]?.send({ region, attempt, ...body })
  }
}
