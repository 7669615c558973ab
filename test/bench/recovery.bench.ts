/**
 * SIGKILL of a taskmanager: the time until records are processed again, and where it goes. Two
 * slots, 100 MB of keyed state each, checkpoints in a bucket of a real S3 server.
 *
 *   --keys N     of 1 kB, over all slots
 *   --kills N    of each kind; the median is shown
 *   --only local|remote|folder
 *
 * local: taskmanagers keep copies of their state; remote: all is fetched from the bucket; folder:
 * checkpoints lie in a folder of this machine.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { processStartMs } from '../e2e/process-start.ts'
import { TestBuckets } from '../storage/s3/test-buckets.ts'
import { s3Part } from '../testbed/s3-part.ts'
import { stopServer } from '../testbed/server-process.ts'
import { type BenchIo, defineBench, median } from './bench-harness.ts'
import { JobRun, type JobRunOptions } from './job-run.ts'
import type { AttemptNote } from './jobs/recovery-job.ts'

const SLOTS = 2

type Place = Pick<JobRunOptions, 'storage' | 'environment'>

/** ms after the kill. */
interface Timeline {
  readonly detected: number
  readonly started: number
  readonly loaded: number
  readonly restored: number
  readonly firstRecord: number
  /** In the slot that is the last to have one. */
  readonly everywhere: number
  /** ms of CPU that the successor took to load the job, and to restore and begin. */
  readonly loadingCpu: number
  readonly restoringCpu: number
}

type Kind = 'local' | 'remote' | 'folder'

const titles: Readonly<Record<Kind, string>> = {
  local: 'S3, copies in the slots',
  remote: 'S3 alone',
  folder: 'a folder',
}

async function measure(io: BenchIo, kind: Kind, place: Place): Promise<void> {
  const keys = io.count('keys', 200_000)
  const job = new JobRun({
    job: 'recovery',
    parallelism: SLOTS,
    args: { keys },
    fields: { 'checkpoint.interval': '2s', 'restart.initialDelay': '0ms' },
    ...place,
  })
  try {
    await job.run.until(({ recordsIn }) => recordsIn >= keys)
    const timelines: Timeline[] = []
    for (let i = 0; i < io.count('kills', 3); i++) {
      await job.run.untilCheckpoints(2)
      timelines.push(await kill(job))
    }
    const last = (await job.snapshots())[0]
    const megabytes = ((last?.sizeBytes ?? 0) / 1e6 / SLOTS).toFixed(0)
    print(io, `state from ${titles[kind]}, ${megabytes} MB a slot`, timelines)
  } finally {
    await job.end()
  }
}

async function kill(job: JobRun): Promise<Timeline> {
  const victims = job.run.processes('taskmanager')
  const victim = victims[victims.length - 1]
  if (victim === undefined) throw new Error(`no taskmanager runs: ${job.run.said}`)
  const before = notesOf(job).length
  const killedAtMs = Date.now()
  process.kill(victim.pid, 'SIGKILL')
  while (notesOf(job).length < before + SLOTS) await pause(20)
  const notes = notesOf(job).slice(before)
  const others = new Set(victims.map(({ pid }) => pid))
  const replaced = notes.find(({ pid }) => !others.has(pid))
  if (replaced === undefined) {
    throw new Error(`no process took the place of the killed one: ${job.run.said}`)
  }
  const { failures } = (await job.run.call('GET', '/exceptions')) as {
    readonly failures: readonly { readonly atMs: number }[]
  }
  const after = (ms: number): number => ms - killedAtMs
  return {
    detected: after(failures.find(({ atMs }) => atMs >= killedAtMs)?.atMs ?? Number.NaN),
    started: after(processStartMs(replaced.pid)),
    loaded: after(replaced.loadedAtMs),
    restored: after(replaced.openedAtMs),
    firstRecord: after(replaced.firstAtMs),
    everywhere: after(Math.max(...notes.map(({ firstAtMs }) => firstAtMs))),
    loadingCpu: replaced.loadedCpuMs,
    restoringCpu: replaced.firstCpuMs - replaced.loadedCpuMs,
  }
}

function notesOf(job: JobRun): readonly AttemptNote[] {
  const file = join(job.reports, 'attempts.jsonl')
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter(line => line !== '').map(line => JSON.parse(line) as AttemptNote)
}

function print(io: BenchIo, title: string, timelines: readonly Timeline[]): void {
  const at = (of: keyof Timeline): number => median(timelines.map(one => one[of]))
  const line = (name: string, of: keyof Timeline, since = 0): void => {
    const ms = at(of)
    io.print(`  ${name.padEnd(34)} ${ms.toFixed(0).padStart(6)} ms  (+${(ms - since).toFixed(0)})`)
  }
  io.print(`${title}: after SIGKILL of a taskmanager, median of ${timelines.length}`)
  line('noticed', 'detected')
  line('its successor is a process', 'started', at('detected'))
  line('the job is loaded there', 'loaded', at('started'))
  line('its state is restored', 'restored', at('loaded'))
  line('its first record is processed', 'firstRecord', at('restored'))
  line('records are processed in all slots', 'everywhere', at('firstRecord'))
  const [loading, restoring] = [at('loadingCpu'), at('restoringCpu')].map(ms => ms.toFixed(0))
  io.print(`  CPU of the successor: ${loading} ms to load, ${restoring} ms to restore and begin`)
  io.print('')
}

/** A bucket of a server that is there for as long. */
async function withBucket(use: (place: Required<Place>) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-s3-'))
  try {
    const environment = await s3Part.start({ folder, owner: process.pid })
    const buckets = new TestBuckets(environment)
    const bucket = await buckets.make()
    buckets.close()
    await use({ storage: `s3://${bucket}/jobs`, environment })
  } finally {
    await stopServer(folder)
    rmSync(folder, { recursive: true, force: true })
  }
}

export const recovery = defineBench({
  name: 'recovery',
  summary: 'from SIGKILL of a taskmanager to its first record again, 100 MB of state a slot',
  async run(io) {
    const only = io.option('only', '')
    const wants = (kind: Kind): boolean => only === '' || only === kind
    if (wants('local') || wants('remote')) {
      await withBucket(async bucket => {
        const { storage, environment } = bucket
        if (wants('local')) await measure(io, 'local', bucket)
        const withoutCopies = { ...environment, WEIR_STATE_FOLDER: '' }
        if (wants('remote')) {
          await measure(io, 'remote', { storage, environment: withoutCopies })
        }
      })
    }
    if (wants('folder')) await measure(io, 'folder', {})
  },
})
