/**
 * Knows which taskmanager has which slot, and carries orders and reports between them and the
 * JobMaster.
 *
 * Owns        who holds a slot, which attempts of which failover regions were deployed there, the
 *             wait for missing ones, and the spares.
 *             It is for one parallelism: after a rescale another takes its place.
 * Leaves out  sockets and heartbeats (`control/`), what is ordered (`job-attempt.ts`).
 *
 * Invariants
 *  R1  A slot has one holder. Another process gets it only when the holder's connection has ended;
 *      the same process on a new connection gets it at once: it knows that its old one is over.
 *  R2  An order reaches only the process to which its attempt was deployed.
 *  R3  Of a holder that is lost the JobMaster hears that it failed and, when it waits for it, that
 *      it was cancelled: a connection that ended carries nothing more.
 *  R4  Nobody holds a slot for the JobMaster before it has proved that it built the same job.
 *  R5  A taskmanager beyond the job's slots is a spare: it may have come before a rescale that
 *      needs it. Beyond all slots that the job can ever have it is refused.
 */
import { assert } from '../../common/assert.ts'
import type { Clock, TimerHandle } from '../../common/clock.ts'
import { formatDuration } from '../../common/duration.ts'
import type { Registration, ToJobManager, ToTaskManager } from '../../protocol/control-messages.ts'
import { clusterErrors } from '../cluster-errors.ts'
import { failureReport } from '../failure-report.ts'
import type { JobNotice } from '../job-result.ts'
import type {
  RegionAttempt,
  SlotCommand,
  SlotEvent,
  SlotGateway,
  SlotSupply,
} from '../slot-messages.ts'
import { SlotWait } from './slot-wait.ts'

/** The connection to a taskmanager. */
export interface SlotLink {
  readonly silentMs: number
  send(message: ToTaskManager): void
  /** Ends it; what was sent before still leaves. */
  close(): void
}

type UnheardPeer = Extract<ToJobManager, { kind: 'unheard' }>

export interface SlotRegistryOptions {
  readonly jobId: string
  /** Tasks of each slot, by slot. */
  readonly tasks: readonly number[]
  /** The job can be rescaled up to them. */
  readonly slotsMax: number
  readonly graphDigest: string
  readonly clock: Clock
  /** So long an attempt waits for its slots. */
  readonly slotTimeoutMs: number
  /** See `NetworkSettings`. */
  readonly silenceMs: number
  readonly receive: (event: SlotEvent) => void
  readonly onNotice: (notice: JobNotice) => void
  /** A slot was lost: its last figures are over. */
  readonly onLost: (slot: number) => void
  /** A process was given up that may still live. */
  readonly onSilent: (slot: number, pid: number) => void
}

/** Tasks that are not over by then are never over by themselves: user code keeps their thread. */
const CANCEL_LIMIT_MS = 30_000
/** So long a thread is kept before people are told. */
const BLOCKED_NOTICE_MS = 2_000

interface Spare {
  readonly registration: Registration
  readonly link: SlotLink
}

interface Holder extends Spare {
  ready: boolean
  leaving: boolean
  /** By region: the attempt that runs there. */
  readonly deployed: Map<number, Deployed>
  /** So long its thread of records has not come to its messages. */
  blockedMs: number
  /** When it was last known to be kept from them; at first, when it came. Monotonic. */
  keptMs: number
}

interface Deployed extends RegionAttempt {
  /** Runs from the order to cancel it to its end. */
  cancelling: TimerHandle | undefined
}

export interface SlotView {
  readonly slot: number
  readonly state: 'missing' | 'preparing' | 'ready' | 'spare'
  readonly pid: number | null
  readonly host: string | null
  readonly dataAddress: string | null
  /** Since the last word of it. */
  readonly silentMs: number | null
  /** So long user code has kept its thread from everything else; 0: it does not. */
  readonly blockedMs: number | null
}

export class SlotRegistry {
  readonly gateways: readonly SlotGateway[]
  readonly supply: SlotSupply
  readonly #options: SlotRegistryOptions
  readonly #holders: (Holder | undefined)[]
  readonly #spares = new Map<number, Spare>()
  readonly #wait: SlotWait

  constructor(options: SlotRegistryOptions) {
    const { tasks, clock, onNotice, slotTimeoutMs } = options
    this.#options = options
    this.#holders = tasks.map(() => undefined)
    this.gateways = tasks.map((_, slot) => ({ send: command => this.#send(slot, command) }))
    const missing = (): readonly number[] => this.missing
    this.#wait = new SlotWait({ slots: tasks.length, missing, clock, onNotice, slotTimeoutMs })
    const peers = (): readonly string[] | undefined => this.#peers()
    const wait = this.#wait
    this.supply = {
      get peers() {
        return peers()
      },
      whenComplete: signal => wait.whenComplete(signal),
    }
  }

  /** Slots that nobody holds yet. */
  get missing(): readonly number[] {
    return this.#holders.flatMap((holder, slot) => (holder?.ready === true ? [] : slot))
  }

  /** Since when an attempt has waited for slots; `undefined`: none does. */
  get waitingMs(): number | undefined {
    return this.#wait.waitingMs
  }

  /** By slot, then the spares. */
  get views(): readonly SlotView[] {
    const holders = this.#holders.map((holder, slot): SlotView => {
      if (holder !== undefined) {
        const { blockedMs, ready } = holder
        return { ...viewOf(holder, ready ? 'ready' : 'preparing'), blockedMs }
      }
      const unknown = { pid: null, host: null, dataAddress: null }
      return { slot, state: 'missing', ...unknown, silentMs: null, blockedMs: null }
    })
    return [...holders, ...[...this.#spares.values()].map(spare => viewOf(spare, 'spare'))]
  }

  /** Says whether it is needed now (R5). Throws WEIR_SLOT_UNKNOWN or WEIR_SLOT_TAKEN. */
  register(registration: Registration, link: SlotLink): 'holder' | 'spare' {
    const { slot } = registration
    const { jobId, slotsMax } = this.#options
    const slots = this.#holders.length
    if (slot >= slotsMax) throw clusterErrors.WEIR_SLOT_UNKNOWN({ slot, jobId, slots, slotsMax })
    const before = this.#holders[slot] ?? this.#spares.get(slot)
    if (before !== undefined) {
      const by = nameOf(before.registration)
      if (before.registration.process !== registration.process) {
        throw clusterErrors.WEIR_SLOT_TAKEN({ slot, by })
      }
      before.link.close()
      this.lost(before.link, 'was replaced by a newer one of the same process')
    }
    if (slot >= slots) {
      this.#spares.set(slot, { registration, link })
      return 'spare'
    }
    this.#holders[slot] = {
      registration,
      link,
      ready: false,
      leaving: false,
      deployed: new Map(),
      blockedMs: 0,
      keptMs: this.#options.clock.monotonic(),
    }
    return 'holder'
  }

  /** It built the job. Throws WEIR_JOB_UNLIKE. */
  prepared(link: SlotLink, graphDigest: string): void {
    const holder = this.#holderOf(link)
    if (holder === undefined) return
    const { slot } = holder.registration
    if (graphDigest !== this.#options.graphDigest) throw clusterErrors.WEIR_JOB_UNLIKE({ slot })
    holder.ready = true
    if (this.missing.length === 0) this.#wait.completed()
  }

  /** A report of a slot; one of a connection that was given up is dropped. */
  receive(link: SlotLink, event: SlotEvent): void {
    const holder = this.#holderOf(link)
    const deployed = holder && deployedOf(holder, event)
    if (holder === undefined || deployed === undefined) return
    assert(event.slot === holder.registration.slot, 'R1: a process speaks for its own slot')
    if (event.kind === 'cancelled') {
      holder.deployed.delete(event.region)
      deployed.cancelling?.cancel()
    }
    this.#options.receive(event)
  }

  /** Its control thread speaks: the process lives, whatever its thread of records does. */
  heartbeat(link: SlotLink, blockedMs: number): void {
    const holder = this.#holderOf(link)
    if (holder === undefined) return
    const before = holder.blockedMs
    holder.blockedMs = blockedMs
    if (blockedMs > 0) holder.keptMs = this.#options.clock.monotonic()
    if (blockedMs < BLOCKED_NOTICE_MS || before >= BLOCKED_NOTICE_MS) return
    const since = formatDuration(BLOCKED_NOTICE_MS)
    const text =
      `${nameOf(holder.registration)} has been kept by user code for more than ${since}: ` +
      'no records pass, and no checkpoint completes until that returns; ' +
      'asyncMap waits without keeping the thread'
    this.#options.onNotice({ level: 'warn', text })
  }

  /**
   * A slot hears nothing from another. Where that one was able to speak all the time, their
   * connection is broken, and the attempt fails.
   */
  unheard(link: SlotLink, { region, attempt, peer, silentMs }: UnheardPeer): void {
    const holder = this.#holderOf(link)
    const other = this.#holders[peer]
    if (holder === undefined || other === undefined) return
    const both = [holder, other].map(one => deployedOf(one, { region, attempt }))
    if (both.includes(undefined)) return
    const freeMs = this.#options.clock.monotonic() - other.keptMs
    if (freeMs < this.#options.silenceMs) return
    const { slot } = holder.registration
    const details = { slot, peer: nameOf(other.registration), silentMs }
    const failure = failureReport(clusterErrors.WEIR_SLOTS_CUT_OFF(details))
    this.#options.receive({ region, attempt, slot, kind: 'failed', vertexId: '', failure })
  }

  /** `undefined`: it holds none, or none any more. */
  slotOf(link: SlotLink): number | undefined {
    return this.#holderOf(link)?.registration.slot
  }

  isSpare(link: SlotLink): boolean {
    return this.#spareOf(link) !== undefined
  }

  /** The holder was told to end: says which slot, or `undefined` when it holds none. */
  leaving(link: SlotLink): number | undefined {
    const holder = this.#holderOf(link)
    if (holder !== undefined) holder.leaving = true
    return holder?.registration.slot
  }

  /** The connection has ended (R3). */
  lost(link: SlotLink, how: string): void {
    const spare = this.#spareOf(link)
    if (spare !== undefined) this.#spares.delete(spare.registration.slot)
    const holder = this.#holderOf(link)
    if (holder === undefined) return
    const { registration, deployed, leaving } = holder
    const { slot } = registration
    this.#holders[slot] = undefined
    this.#options.onLost(slot)
    const who = nameOf(registration)
    const told = leaving ? 'was closed: it had been told to end' : how
    const failure = failureReport(clusterErrors.WEIR_SLOT_LOST({ slot, who, how: told }))
    for (const { region, attempt, cancelling } of deployed.values()) {
      cancelling?.cancel()
      this.#options.receive({ region, attempt, slot, kind: 'failed', vertexId: '', failure })
      if (cancelling === undefined) continue
      this.#options.receive({ region, attempt, slot, kind: 'cancelled' })
    }
  }

  /** The job is over: the processes may end. */
  dismiss(): void {
    for (const { link } of this.#clear()) {
      link.send({ kind: 'dismissed' })
      link.close()
    }
  }

  /** Another registry takes its place: all come again, and are given what that one has for them. */
  dropAll(): void {
    for (const { registration, link } of this.#clear()) {
      const { slot } = registration
      if (slot < this.#holders.length) this.#options.onLost(slot)
      link.close()
    }
  }

  #clear(): readonly Spare[] {
    for (const holder of this.#holders) {
      for (const { cancelling } of holder?.deployed.values() ?? []) cancelling?.cancel()
    }
    const all = [...this.#holders.flatMap(holder => holder ?? []), ...this.#spares.values()]
    this.#holders.fill(undefined)
    this.#spares.clear()
    return all
  }

  #send(slot: number, command: SlotCommand): void {
    const holder = this.#holders[slot]
    const { region, attempt, kind } = command
    if (kind === 'deploy') {
      assert(holder?.ready === true, 'R4: only a slot that is ready is deployed to')
      holder.deployed.set(region, { region, attempt, cancelling: undefined })
    }
    const deployed = holder && deployedOf(holder, command)
    if (holder !== undefined && deployed !== undefined) {
      if (kind === 'cancel') this.#limitCancel(holder, deployed)
      holder.link.send({ kind: 'command', command: command as never })
    } else if (kind === 'cancel') {
      this.#options.receive({ region, attempt, slot, kind: 'cancelled' })
    }
  }

  /** A thread that is kept for ever must not keep the job: its process is given up. */
  #limitCancel({ registration, link }: Holder, deployed: Deployed): void {
    deployed.cancelling?.cancel()
    deployed.cancelling = this.#options.clock.schedule(CANCEL_LIMIT_MS, () => {
      link.close()
      const how = `was given up: its tasks did not stop within ${formatDuration(CANCEL_LIMIT_MS)}`
      this.lost(link, how)
      this.#options.onSilent(registration.slot, registration.pid)
    })
  }

  #peers(): readonly string[] | undefined {
    const peers: string[] = []
    for (const holder of this.#holders) {
      if (holder?.ready !== true) return undefined
      peers.push(holder.registration.dataAddress)
    }
    return peers
  }

  #spareOf(link: SlotLink): Spare | undefined {
    return [...this.#spares.values()].find(spare => spare.link === link)
  }

  #holderOf(link: SlotLink): Holder | undefined {
    return this.#holders.find(holder => holder?.link === link)
  }
}

function deployedOf({ deployed }: Holder, { region, attempt }: RegionAttempt) {
  const found = deployed.get(region)
  return found?.attempt === attempt ? found : undefined
}

function viewOf({ registration, link }: Spare, state: SlotView['state']): SlotView {
  const { slot, pid, host, dataAddress } = registration
  return { slot, state, pid, host, dataAddress, silentMs: link.silentMs, blockedMs: null }
}

function nameOf({ slot, host, pid }: Registration): string {
  return `taskmanager ${slot} (${host}, process ${pid})`
}
