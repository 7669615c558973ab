/**
 * Admission under random schedules: writes that are lost or late, answers that never come, caches
 * that are behind, leaders that die. However it goes, the server never holds more than the quota.
 */
import { describe, expect, test } from '@jest/globals'
import { SeededRandom } from '../../../src/common/random.ts'
import { ObjectCache } from '../../../src/controller/kube/object-cache.ts'
import type { StreamJobObject } from '../../../src/controller/streamjob/stream-job-object.ts'
import { demandOf, reservedOf } from '../../../src/controller/tenancy/job-demand.ts'
import { QuotaLedger } from '../../../src/controller/tenancy/quota-ledger.ts'
import type { TenantDirectory } from '../../../src/controller/tenancy/tenant-directory.ts'
import type { StreamJobStatus } from '../../../src/protocol/stream-job-status.ts'
import { directoryOf, jobOf, namespaceOf, setTenant, tenantOf } from './tenant-world.ts'

const SLOTS = 7
const JOBS = 3

/** One tenant with a namespace. */
function directoryWith(quota: object): TenantDirectory {
  const spec = { namespaces: { names: ['payments'] }, quota }
  return directoryOf([tenantOf('bank', spec)], [namespaceOf('payments')])
}

interface Write {
  readonly key: string
  /** The version that it is bound to. */
  readonly base: string
  readonly status: StreamJobStatus
}

/** The API server: objects, versions, and what a watch would tell. */
class Server {
  readonly objects = new Map<string, StreamJobObject>()
  readonly log: { readonly object: StreamJobObject; readonly isEnd: boolean }[] = []
  version = 1

  put(
    object: Omit<StreamJobObject, 'metadata'> & Pick<StreamJobObject, 'metadata'>,
  ): StreamJobObject {
    const resourceVersion = String(++this.version)
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion } }
    this.objects.set(stored.metadata.name, stored)
    this.log.push({ object: stored, isEnd: false })
    return stored
  }

  remove(name: string): void {
    const object = this.objects.get(name)
    if (object === undefined) return
    const resourceVersion = String(++this.version)
    this.objects.delete(name)
    this.log.push({
      object: { ...object, metadata: { ...object.metadata, resourceVersion } },
      isEnd: true,
    })
  }

  /** `undefined`: a conflict. */
  write({ key, base, status }: Write): StreamJobObject | undefined {
    const object = this.objects.get(key.split('/')[1] ?? '')
    if (object?.metadata.resourceVersion !== base) return undefined
    return this.put({ ...object, status })
  }

  get held(): { readonly jobs: number; readonly slots: number } {
    const reserved = [...this.objects.values()].flatMap(({ status }) => status?.reserved ?? [])
    return { jobs: reserved.length, slots: reserved.reduce((sum, { slots }) => sum + slots, 0) }
  }
}

/** A controller: its cache, its place in the log, its ledger. */
class Process {
  readonly cache = new ObjectCache<StreamJobObject>()
  readonly ledger: QuotaLedger
  readonly woken = new Set<string>()
  readonly inFlight: Write[] = []
  #seen = 0
  readonly #server: Server

  constructor(server: Server, directory: TenantDirectory, behind: number) {
    this.#server = server
    this.ledger = new QuotaLedger(directory)
    this.ledger.follow({
      onRoom: keys => keys.forEach(key => this.woken.add(key)),
      onUsage: () => {},
    })
    this.cache.onChange(change => {
      this.ledger.followJobs(change)
      this.woken.add(change.key)
    })
    while (this.#seen < server.log.length - behind) this.hear()
  }

  /** The next line of the watch. */
  hear(): boolean {
    const next = this.#server.log[this.#seen]
    if (next === undefined) return false
    this.#seen++
    if (next.isEnd) this.cache.end(next.object)
    else this.cache.set(next.object)
    return true
  }

  /** As after the lease was won. */
  open(): void {
    this.cache.replace([...this.#server.objects.values()], String(this.#server.version))
    this.ledger.open()
  }

  pass(key: string, nowMs: number): void {
    const object = this.cache.get(key)
    if (object === undefined || object.status?.reserved !== undefined) return
    if (object.status?.phase === 'Finished') return
    const demand = demandOf(object.spec)
    const admission = this.ledger.ask(object, demand, nowMs)
    if (admission.kind === 'unknown' || admission.kind === 'free') return
    const base = object.metadata.resourceVersion ?? ''
    if (admission.kind === 'admitted') {
      this.ledger.claim(object, demand)
      const status: StreamJobStatus = { phase: 'Deploying', epoch: 1, reserved: reservedOf(demand) }
      this.inFlight.push({ key, base, status })
    } else if (object.status?.queue === undefined) {
      const { position, reason } = admission
      const queue = { position, reason, since: new Date(nowMs).toISOString() }
      this.inFlight.push({ key, base, status: { phase: 'Queued', queue } })
    }
  }

  /** It ends: its room is free. */
  finish(key: string): void {
    const object = this.cache.get(key)
    if (object?.status?.reserved === undefined) return
    const base = object.metadata.resourceVersion ?? ''
    this.inFlight.push({ key, base, status: { phase: 'Finished', epoch: 1 } })
  }

  /** The oldest or any other write arrives; its answer may be lost. */
  arrive(at: number, isAnswered: boolean): void {
    const [write] = this.inFlight.splice(at, 1)
    if (write === undefined) return
    const written = this.#server.write(write)
    if (written !== undefined && isAnswered) this.cache.set(written)
    this.woken.add(write.key)
  }
}

class Schedule {
  readonly random: SeededRandom
  readonly server = new Server()
  readonly directory = directoryWith({ jobs: JOBS, slots: SLOTS })
  process: Process
  #names = 0
  #steps = 0

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    this.process = new Process(this.server, this.directory, 0)
    this.process.open()
  }

  step(): void {
    this.#steps++
    const { random, server, process } = this
    const pick = random.next()
    const known = [...process.cache.all()].map(one => `payments/${one.metadata.name}`)
    const one = known[random.int(Math.max(1, known.length))] ?? ''
    if (pick < 0.12) this.#create()
    else if (pick < 0.16) server.remove(one.split('/')[1] ?? '')
    else if (pick < 0.2) this.#edit(one.split('/')[1] ?? '')
    else if (pick < 0.28) process.finish(one)
    else if (pick < 0.52) process.pass(one, this.#steps)
    else if (pick < 0.72) process.hear()
    else if (pick < 0.95) {
      process.arrive(random.int(Math.max(1, process.inFlight.length)), random.next() < 0.6)
    } else this.#fail()
  }

  #create(): void {
    const { random, server } = this
    const slots = 1 + random.int(4)
    const shape = { name: `job-${this.#names++}`, version: 0, slots, priority: random.int(3) }
    server.put(jobOf(shape))
  }

  /** A person's edit, which makes every write on its way a late one. */
  #edit(name: string): void {
    const object = this.server.objects.get(name)
    if (object !== undefined) this.server.put(object)
  }

  /** What was sent has arrived or never will; the next one begins behind, then compares. */
  #fail(): void {
    const { random, server, directory } = this
    while (this.process.inFlight.length > 0) {
      if (random.next() < 0.5) this.process.arrive(0, false)
      else this.process.inFlight.shift()
    }
    this.process = new Process(server, directory, random.int(6))
    for (const { metadata } of this.process.cache.all()) {
      this.process.pass(`payments/${metadata.name}`, this.#steps)
    }
    expect(this.process.inFlight).toEqual([])
    this.process.open()
  }

  /** Everything arrives, and all that were woken are looked at. */
  settle(): void {
    const { process } = this
    while (process.inFlight.length > 0 || process.woken.size > 0) {
      while (process.inFlight.length > 0) process.arrive(0, true)
      while (process.hear());
      const keys = [...process.woken]
      process.woken.clear()
      for (const key of keys) process.pass(key, this.#steps)
    }
  }
}

/** `WEIR_TEST_LONG` takes a hundred times as many. */
const SEEDS = process.env.WEIR_TEST_LONG === '1' ? 50_000 : 500
const STEPS = 200

describe('the ledger', () => {
  test(`A1, L1, L2: never above the quota, in ${SEEDS} random schedules`, () => {
    let admitted = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const schedule = new Schedule(seed)
      for (let step = 0; step < STEPS; step++) {
        schedule.step()
        const { jobs, slots } = schedule.server.held
        if (jobs > JOBS || slots > SLOTS) throw new Error(`seed ${seed}, step ${step}: ${slots}`)
      }
      schedule.settle()
      const { jobs, slots } = schedule.server.held
      expect(jobs).toBeLessThanOrEqual(JOBS)
      expect(slots).toBeLessThanOrEqual(SLOTS)
      // And nobody waits for room that is there.
      for (const { metadata, status, spec } of schedule.server.objects.values()) {
        if (status?.reserved !== undefined || status?.phase === 'Finished') continue
        const fits = jobs < JOBS && slots + demandOf(spec).slots <= SLOTS
        if (fits) throw new Error(`seed ${seed}: ${metadata.name} waits beside free room`)
      }
      admitted += jobs
    }
    expect(admitted).toBeGreaterThan(SEEDS)
  })

  const bank = { namespaces: { names: ['payments'] } }
  const runs = { phase: 'Running', epoch: 1 } as const
  const held = (slots: number) => ({
    ...runs,
    reserved: reservedOf(demandOf({ parallelism: slots })),
  })

  test('L1: two at once, and the last room is one of them only', () => {
    const ledger = new QuotaLedger(directoryWith({ slots: 2 }))
    ledger.open()
    const [one, two] = [
      jobOf({ name: 'one', version: 1, slots: 2 }),
      jobOf({ name: 'two', version: 2, slots: 2 }),
    ]
    expect(ledger.ask(one, demandOf(one.spec), 0).kind).toBe('admitted')
    ledger.claim(one, demandOf(one.spec))
    expect(ledger.ask(two, demandOf(two.spec), 0)).toMatchObject({
      kind: 'waits',
      shortfall: 'slots: needs 2, 0 of 2 are free',
    })
    // It may ask again for what it has.
    expect(ledger.ask(one, demandOf(one.spec), 0).kind).toBe('admitted')
  })

  test('L3: a smaller quota takes nothing away, and a larger one wakes who waits', () => {
    const directory = directoryWith({ slots: 4 })
    const ledger = new QuotaLedger(directory)
    const woken: string[] = []
    ledger.follow({ onRoom: keys => woken.push(...keys), onUsage: () => {} })
    ledger.open()
    const enter = (now: StreamJobObject) =>
      ledger.followJobs({
        kind: 'set',
        key: `payments/${now.metadata.name}`,
        now,
        before: undefined,
      })
    enter(jobOf({ name: 'runs', version: 1, slots: 4, status: held(4) }))
    const queue = { position: 1, reason: 'QuotaPending', since: '2026-01-01T00:00:00Z' }
    enter(jobOf({ name: 'waits', version: 2, slots: 2, status: { phase: 'Queued', queue } }))
    setTenant(directory, tenantOf('bank', { ...bank, quota: { slots: 1 } }))
    ledger.wake('bank')
    expect(ledger.usageOf('bank')).toMatchObject({ used: { slots: 4 }, queued: 1 })
    expect(woken).toEqual([])
    setTenant(directory, tenantOf('bank', { ...bank, quota: { slots: 6 } }))
    ledger.wake('bank')
    expect(woken).toEqual(['payments/waits'])
  })

  test('a job that an earlier version has started counts by its spec', () => {
    const ledger = new QuotaLedger(directoryWith({ slots: 4 }))
    const now = jobOf({ name: 'old', version: 1, slots: 3, status: runs })
    ledger.followJobs({ kind: 'set', key: 'payments/old', now, before: undefined })
    expect(ledger.usageOf('bank').used).toEqual({
      jobs: 1,
      slots: 3,
      cpu: 3_500,
      memory: 3.5 * 2 ** 30,
    })
  })
})
