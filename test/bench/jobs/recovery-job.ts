/**
 * Much keyed state, to be lost and restored. Each attempt notes when its process had loaded the job,
 * when its state was there, and when its first record came.
 */
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { datagen, type JobArguments, job, record, valueState, z } from 'weir'
import { countingSink } from './measure.ts'

export interface AttemptNote {
  readonly slot: number
  readonly pid: number
  readonly loadedAtMs: number
  readonly openedAtMs: number
  readonly firstAtMs: number
  /** CPU time of the process up to these moments. */
  readonly loadedCpuMs: number
  readonly firstCpuMs: number
}

const loadedAtMs = Date.now()
const loadedCpuMs = cpuMs()
const Visit = record({ key: z.int32(), n: z.int() })
const VALUE_BYTES = 1_000

export function keysOf(args: JobArguments): number {
  return args.int('keys', 200_000)
}

export default job('recovery', env => {
  const { args } = env
  const folder = args.get('report', 'report')
  const keys = keysOf(args)
  env
    .from(
      datagen({
        type: Visit,
        ratePerSecond: args.int('rate', 50_000),
        fields: { n: n => n, key: n => n % keys },
      }),
    )
    .uid('visits')
    .keyBy(visit => visit.key)
    .process({
      output: Visit,
      state: { value: valueState(z.string()) },
      open({ subtaskIndex }) {
        opened.set(subtaskIndex, Date.now())
      },
      processElement(visit, { state, runtime }, out) {
        const { subtaskIndex } = runtime
        const openedAtMs = opened.get(subtaskIndex)
        if (openedAtMs !== undefined) {
          opened.delete(subtaskIndex)
          note(folder, {
            slot: subtaskIndex,
            pid: process.pid,
            loadedAtMs,
            openedAtMs,
            firstAtMs: Date.now(),
            loadedCpuMs,
            firstCpuMs: cpuMs(),
          })
        }
        state.value.update(textOf(visit.n))
        out.collect(visit)
      },
    })
    .uid('values')
    .to(countingSink({ folder }))
    .uid('out')
})

/** Subtasks whose first record has not come. */
const opened = new Map<number, number>()

/** A text that is not the same for two keys, nor shared. */
function textOf(n: number): string {
  return String(n).padStart(VALUE_BYTES, '.')
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

function note(folder: string, attempt: AttemptNote): void {
  mkdirSync(folder, { recursive: true })
  appendFileSync(join(folder, 'attempts.jsonl'), `${JSON.stringify(attempt)}\n`)
}
