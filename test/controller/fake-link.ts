/** Jobmanagers that say what a test wants them to. */
import type { JobLink, JobTarget, StopOrder } from '../../src/controller/link/job-link.ts'
import { linkErrors } from '../../src/controller/link/link-errors.ts'
import type {
  JobFacts,
  SavepointFacts,
  SnapshotFacts,
  StopFacts,
} from '../../src/protocol/job-facts.ts'

export const snapshot = (id: number, kind: SnapshotFacts['kind'] = 'checkpoint'): SnapshotFacts => {
  const path = `s3://bucket/prefix/job/${kind}s/${kind}-${id}`
  return { id, kind, path, completedAtMs: 1_700_000_000_000 + id * 1_000, sizeBytes: 1_000 }
}

export const runningFacts: JobFacts = {
  status: 'running',
  parallelism: 1,
  restarts: 0,
  lastFailure: null,
  latest: snapshot(1),
  checkpoints: { completed: 1, failuresInRow: 0, lastFailure: null, ageMs: 100 },
  stop: null,
}

const warmFacts: JobFacts = {
  ...runningFacts,
  status: 'warm',
  latest: null,
  checkpoints: { ...runningFacts.checkpoints, completed: 0, ageMs: null },
}

/** By the name of the job. Of one that nothing is said of nobody answers. */
export class FakeLink implements JobLink {
  readonly said = new Map<string, JobFacts>()
  /** What becomes of an order to take a savepoint; absent: it completes at once. */
  readonly outcomes = new Map<string, SavepointFacts['status']>()
  /** By request id, as the jobmanagers remember them. */
  readonly savepoints = new Map<string, SavepointFacts>()
  readonly stops = new Map<string, StopFacts>()
  readonly #listeners: (() => void)[] = []
  readonly #begun = new Map<string, number>()
  /** Job and epoch of those that wait to begin, and of those that said that they are over. */
  readonly #warm = new Set<string>()
  readonly #over = new Set<string>()
  #taken = 100

  /** A job was stopped. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** The jobmanager of an epoch is there, and waits for the order to begin. */
  warm(job: string, epoch: number): void {
    if (epoch > (this.#begun.get(job) ?? 0)) this.#warm.add(`${job} ${epoch}`)
  }

  waits(job: string, epoch: number): boolean {
    return this.#warm.has(`${job} ${epoch}`)
  }

  hasBegun(job: string, epoch: number): boolean {
    return (this.#begun.get(job) ?? 0) >= epoch
  }

  isOver(job: string, epoch: number): boolean {
    return this.#over.has(`${job} ${epoch}`)
  }

  /** The jobmanager of an epoch begins: it goes on from the newest snapshot, and completes more. */
  started(job: string, epoch: number): void {
    if (epoch <= (this.#begun.get(job) ?? 0)) return
    this.#begun.set(job, epoch)
    const before = this.said.get(job)
    if (before === undefined) return
    const checkpoints = { ...runningFacts.checkpoints, completed: 2 }
    this.said.set(job, { ...before, status: 'running', stop: null, checkpoints })
  }

  async begin({ name, epoch }: JobTarget): Promise<void> {
    if (this.#warm.delete(`${name} ${epoch}`)) this.started(name, epoch)
  }

  async facts(target: JobTarget): Promise<JobFacts> {
    if (this.waits(target.name, target.epoch)) return warmFacts
    const facts = this.said.get(target.name)
    if (facts !== undefined) return facts
    throw this.#silence(target)
  }

  async savepoint(target: JobTarget, requestId: string): Promise<SavepointFacts> {
    await this.facts(target)
    const known = this.savepoints.get(requestId)
    if (known !== undefined) return known
    this.#taken++
    const status = this.outcomes.get(target.name) ?? 'completed'
    const taken = status === 'completed' ? snapshot(this.#taken, 'savepoint') : null
    const error = { code: 'WEIR_SAVEPOINT_FAILED', message: 'the store is away', next: '' }
    const made = {
      id: requestId,
      status,
      snapshot: taken,
      error: status === 'failed' ? error : null,
    }
    this.savepoints.set(requestId, made)
    return made
  }

  /** What was being taken is whole now. */
  complete(requestId: string): void {
    this.#taken++
    const taken = snapshot(this.#taken, 'savepoint')
    this.savepoints.set(requestId, {
      id: requestId,
      status: 'completed',
      snapshot: taken,
      error: null,
    })
  }

  async savepointState(target: JobTarget, requestId: string): Promise<SavepointFacts | undefined> {
    await this.facts(target)
    return this.savepoints.get(requestId)
  }

  async stop(target: JobTarget, { requestId, savepoint }: StopOrder): Promise<StopFacts> {
    await this.facts(target)
    const known = this.stops.get(requestId)
    if (known !== undefined) return known
    this.#taken++
    const kind = savepoint ? 'savepoint' : 'checkpoint'
    const latest = snapshot(this.#taken, kind)
    const made = { id: requestId, status: 'completed', snapshot: latest, error: null } as const
    this.stops.set(requestId, made)
    this.said.set(target.name, { ...runningFacts, status: 'stopped', latest, stop: made })
    this.#over.add(`${target.name} ${target.epoch}`)
    for (const listener of this.#listeners) listener()
    return made
  }

  async stopState(target: JobTarget, requestId: string): Promise<StopFacts | undefined> {
    await this.facts(target)
    return this.stops.get(requestId)
  }

  async rescale(target: JobTarget, parallelism: number): Promise<void> {
    const facts = await this.facts(target)
    this.said.set(target.name, { ...facts, parallelism })
  }

  #silence({ namespace, name, podIp }: JobTarget): Error {
    const job = `${namespace}/${name}`
    return linkErrors.WEIR_LINK_UNREACHABLE({ job, address: podIp, reason: 'nobody is there' })
  }
}
