/**
 * A job whose jobmanager and taskmanagers are processes of their own: starts them, starts again
 * what dies, and is the job to whoever watches the run.
 *
 * Owns        the processes, and the figures of jobmanagers that are gone.
 * Leaves out  the job: its jobmanager runs it, and would as well without this.
 *
 * Invariants
 *  U1  As many processes as the jobmanager wants slots, and one, are there or about to be until the
 *      job ends: a rescale changes how many.
 *  U2  Nothing is left when `done` resolves.
 */
import { join } from 'node:path'
import process from 'node:process'
import { HeartbeatWatch } from '../../cluster/control/heartbeat-watch.ts'
import { errorOf } from '../../cluster/failure-report.ts'
import type { JobProgress } from '../../cluster/job-progress.ts'
import type { JobNotice, JobResult } from '../../cluster/job-result.ts'
import { ProgressMeter } from '../../cluster/progress-meter.ts'
import type { FromJobManager } from '../../cluster/supervision.ts'
import { assert } from '../../common/assert.ts'
import { formatDuration } from '../../common/duration.ts'
import { buildExecutionPlan } from '../../graph/execution-plan.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import type { JobDescriptionText } from '../../protocol/job-description.ts'
import { isRemote } from '../../storage/open-store.ts'
import { cliErrors } from '../cli-errors.ts'
import type { CliIo } from '../cli-io.ts'
import type { Installation } from '../installation.ts'
import { addProgress } from './add-progress.ts'
import { WeirChild } from './child-process.ts'
import { type ProcessEnd, RespawnPolicy } from './respawn-policy.ts'
import { RunFolder } from './run-folder.ts'

export interface ProcessJobOptions {
  readonly graph: JobGraph
  readonly jobId: string
  readonly description: JobDescriptionText
  readonly installation: Installation
  readonly io: CliIo
  readonly onNotice: (notice: JobNotice) => void
}

/** A jobmanager that stands still gets so long; see `lifeLine`. */
const SILENCE = { intervalMs: 500, timeoutMs: 2_000 }
/** Its thread has been kept for so long: people are told. */
const KEPT_NOTICE_MS = 2_000
/** A taskmanager that lives and does not come to its jobmanager by then hangs. */
const REGISTER_LIMIT_MS = 10_000
/** After the end of the job its processes end by themselves. */
const END_LIMIT_MS = 5_000

interface Member {
  readonly name: string
  readonly policy: RespawnPolicy
  child: WeirChild | undefined
}

export class ProcessJob {
  /** Never rejects: a failed job is a result. */
  readonly done: Promise<JobResult>
  readonly #options: ProcessJobOptions
  readonly #folder: RunFolder
  readonly #jobManager: Member
  /** By slot. */
  #taskManagers: readonly Member[]
  /** No slot is theirs any more. */
  readonly #retired = new Set<Member>()
  readonly #startedMs: number
  #watch: HeartbeatWatch | undefined
  /** So long the jobmanager's thread had been kept when it last told. */
  #keptMs = 0
  /** What jobmanagers that are gone had counted, and what the running one has. */
  #before: JobProgress | undefined
  #progress: JobProgress
  #stopping = false
  #over = false
  #resolve: (result: JobResult) => void = () => {}

  constructor(options: ProcessJobOptions) {
    this.#options = options
    const { graph, io, jobId } = options
    this.#startedMs = io.clock.monotonic()
    this.#progress = notStarted(graph, io)
    this.#folder = new RunFolder({ cwd: io.cwd, jobId, pid: process.pid })
    this.#folder.describe(options.description)
    this.#jobManager = makeMember('jobmanager')
    const { slots } = buildExecutionPlan(graph)
    this.#taskManagers = Array.from({ length: slots }, (_, slot) => taskManagerOf(slot))
    this.done = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  start(): void {
    this.#start(this.#jobManager)
    for (const member of this.#taskManagers) this.#start(member)
    this.#lookSoon()
  }

  stop(): void {
    this.#stopping = true
    this.#jobManager.child?.send({ kind: 'stop' })
  }

  progress(): JobProgress {
    const whole = addProgress(this.#before, this.#progress)
    return { ...whole, elapsedMs: this.#options.io.clock.monotonic() - this.#startedMs }
  }

  #start(member: Member): void {
    if (this.#over) return
    assert(member.child === undefined, `U1: there is one ${member.name} at a time`)
    const { installation, io } = this.#options
    const isJobManager = member === this.#jobManager
    const child = new WeirChild({
      name: member.name,
      nodePath: io.nodePath,
      script: join(
        installation.home,
        'dist/bin',
        `${isJobManager ? 'jobmanager' : 'taskmanager'}.js`,
      ),
      cwd: io.cwd,
      environment: this.#environmentOf(member),
      logFile: this.#folder.logOf(member.name),
      out: io.out,
      clock: io.clock,
      onMessage: message => {
        if (isJobManager) this.#take(child, message as FromJobManager)
      },
      ...(isJobManager && { onLife: keptMs => this.#heard(child, keptMs) }),
    })
    member.child = child
    void child.ended.then(end => this.#ended(member, end))
  }

  /** Starts what is missing and ends what is superfluous. */
  #wantSlots(slots: number): void {
    const before = this.#taskManagers
    const added = Array.from({ length: Math.max(0, slots - before.length) }, (_, index) =>
      taskManagerOf(before.length + index),
    )
    const surplus = before.slice(slots)
    this.#taskManagers = [...before.slice(0, slots), ...added]
    for (const member of added) this.#start(member)
    for (const member of surplus) this.#retire(member)
  }

  #retire(member: Member): void {
    const { child } = member
    if (child === undefined) return
    this.#retired.add(member)
    child.end()
    this.#options.io.clock.schedule(END_LIMIT_MS, () => child.kill())
  }

  #environmentOf(member: Member): Readonly<Record<string, string | undefined>> {
    const { io, jobId } = this.#options
    const { scratch, secretFile } = this.#folder
    const own = { WEIR_SECRET_FILE: secretFile, WEIR_SCRATCH_FOLDER: scratch }
    const shared = { ...io.environment, ...own }
    if (member === this.#jobManager) {
      const { jobFile, controlAddress } = this.#folder
      // Nothing has to be fetched or scheduled here: who is not there by then never comes.
      const { WEIR_SLOT_TIMEOUT = '1m' } = io.environment
      return { ...shared, WEIR_JOB_FILE: jobFile, WEIR_LISTEN: controlAddress, WEIR_SLOT_TIMEOUT }
    }
    const slot = String(this.#taskManagers.indexOf(member))
    const state = this.#stateFolder()
    return {
      ...shared,
      ...(state !== undefined && { WEIR_STATE_FOLDER: join(state, slot) }),
      WEIR_JOB_ID: jobId,
      WEIR_SLOT: slot,
      WEIR_JOBMANAGER: this.#folder.controlAddress,
      WEIR_LISTEN: this.#folder.dataAddress(),
      WEIR_WORK_FOLDER: this.#folder.workFolder,
    }
  }

  /** Copies of state save the way to a store elsewhere; a folder here is as near as they are. */
  #stateFolder(): string | undefined {
    const { description, io, jobId } = this.#options
    const { WEIR_STATE_FOLDER: given } = io.environment
    if (given === '') return undefined
    if (given !== undefined) return join(given, jobId)
    return isRemote(description.storeLocation) ? this.#folder.stateFolder : undefined
  }

  /** The jobmanager's control thread: user code may keep the other one as long as it likes. */
  #heard(child: WeirChild, keptMs: number): void {
    if (child !== this.#jobManager.child || this.#over) return
    const nowMs = this.#options.io.clock.monotonic()
    this.#watch ??= new HeartbeatWatch(SILENCE, nowMs)
    this.#watch.heard(nowMs)
    const before = this.#keptMs
    this.#keptMs = keptMs
    if (keptMs < KEPT_NOTICE_MS || before >= KEPT_NOTICE_MS) return
    const since = formatDuration(KEPT_NOTICE_MS)
    const text =
      `jobmanager has been kept by user code for more than ${since}, such as the enumerator of a ` +
      'source: no checkpoint begins and no slot is answered until that returns'
    this.#note('warn', text)
  }

  #take(child: WeirChild, message: FromJobManager): void {
    const { onNotice } = this.#options
    if (child !== this.#jobManager.child || this.#over) return
    switch (message.kind) {
      case 'up':
        if (this.#stopping) child.send({ kind: 'stop' })
        break
      case 'progress':
        this.#progress = message.progress
        break
      case 'notice':
        onNotice(message.notice)
        break
      case 'slots':
        this.#wantSlots(message.slots)
        break
      case 'silent': {
        const silent = this.#taskManagers[message.slot]?.child
        if (silent?.pid === message.pid) silent.kill()
        break
      }
      case 'ended': {
        const { result, failure, progress } = message
        this.#progress = progress
        void this.#end({ ...result, error: failure && errorOf(failure) })
        break
      }
    }
  }

  #ended(member: Member, end: ProcessEnd): void {
    member.child = undefined
    if (this.#over || this.#retired.delete(member)) return
    if (member === this.#jobManager) {
      // Its successor counts from the beginning.
      this.#before = { ...addProgress(this.#before, this.#progress) }
      this.#before = { ...this.#before, restarts: this.#before.restarts + 1 }
      this.#progress = {
        ...notStarted(this.#options.graph, this.#options.io),
        status: 'restarting',
      }
      this.#watch = undefined
      this.#keptMs = 0
    }
    this.#startAgain(member, end)
  }

  #startAgain(member: Member, end: ProcessEnd): void {
    const delayMs = member.policy.ended(end)
    const log = this.#folder.logOf(member.name)
    const how = describeEnd(end)
    if (delayMs === undefined) {
      const error = cliErrors.WEIR_PROCESS_ENDS({ name: member.name, how, log })
      void this.#end({
        outcome: 'failed',
        error,
        refused: false,
        savepointPath: undefined,
        restarts: this.progress().restarts,
      })
      return
    }
    const again = delayMs === 0 ? '' : ` in ${formatDuration(delayMs)}`
    const see = end.code === null || end.code === 0 ? '' : ` (log: ${log})`
    this.#note('warn', `${member.name} ${how}${see}: it is started again${again}`)
    if (delayMs === 0) this.#start(member)
    else this.#options.io.clock.schedule(delayMs, () => this.#startWanted(member))
  }

  /** A rescale may have taken its slot away meanwhile. */
  #startWanted(member: Member): void {
    if (member === this.#jobManager || this.#taskManagers.includes(member)) this.#start(member)
  }

  #lookSoon(): void {
    this.#options.io.clock.schedule(SILENCE.intervalMs, () => {
      if (this.#over) return
      this.#lookSoon()
      this.#look()
    })
  }

  /** A process that stands still would hold up the job: another takes its place. */
  #look(): void {
    const verdict = this.#watch?.look(this.#options.io.clock.monotonic())
    if (verdict === 'silent') {
      const silence = formatDuration(SILENCE.timeoutMs)
      this.#note('warn', `jobmanager was silent for ${silence}: it is ended`)
      this.#jobManager.child?.kill()
      this.#watch = undefined
    }
    const { waiting } = this.#progress
    if (waiting === undefined || waiting.sinceMs < REGISTER_LIMIT_MS) return
    for (const slot of waiting.slots) {
      const member = this.#taskManagers[slot]
      const child = member?.child
      if (child === undefined || child.livedMs < REGISTER_LIMIT_MS) continue
      this.#note('warn', `${member?.name} does not come to its jobmanager: it is ended`)
      child.kill()
    }
  }

  async #end(result: Omit<JobResult, 'lastCheckpointPath'> & Partial<JobResult>): Promise<void> {
    this.#over = true
    const { clock } = this.#options.io
    const members = [this.#jobManager, ...this.#taskManagers, ...this.#retired]
    const children = members.flatMap(member => member.child ?? [])
    const killAll = (): void => {
      for (const child of children) child.kill()
    }
    // Without a jobmanager that lets them go nothing ends by itself.
    if (this.#jobManager.child === undefined) killAll()
    const timer = clock.schedule(END_LIMIT_MS, killAll)
    await Promise.all(children.map(child => child.ended))
    timer.cancel()
    assert(
      members.every(member => member.child === undefined),
      'U2: all have ended',
    )
    this.#folder.remove()
    if (result.outcome === 'failed') {
      this.#note('info', `the logs of its processes are in ${this.#folder.logFolder}`)
    }
    const { restarts } = this.progress()
    this.#resolve({ lastCheckpointPath: undefined, ...result, restarts })
  }

  #note(level: JobNotice['level'], text: string): void {
    this.#options.onNotice({ level, text })
  }
}

function makeMember(name: string): Member {
  return { name, policy: new RespawnPolicy(), child: undefined }
}

function taskManagerOf(slot: number): Member {
  return makeMember(`taskmanager ${slot}`)
}

function describeEnd({ code, signal }: ProcessEnd): string {
  if (code === 0) return 'has left'
  if (code !== null) return `ended with code ${code}`
  return signal === null ? 'could not be started' : `was ended by ${signal}`
}

function notStarted(graph: JobGraph, io: CliIo): JobProgress {
  return {
    ...new ProgressMeter(graph, io.clock).read([]),
    status: 'starting',
    checkpointsCompleted: 0,
    checkpointsFailed: 0,
    lastCheckpoint: undefined,
    restarts: 0,
    lastFailure: undefined,
  }
}
