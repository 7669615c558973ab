/** `weir plan`: prints the graph of a job, and whether it fits its state; runs nothing. */
import { writeFileSync } from 'node:fs'
import { isWeirError } from '../common/errors.ts'
import { planJson } from '../graph/plan-json.ts'
import { planMermaid } from '../graph/plan-mermaid.ts'
import { planText } from '../graph/plan-text.ts'
import { checkState, type StateCheck } from './check-state.ts'
import { type CliIo, exitCodes } from './cli-io.ts'
import { describeError } from './describe-error.ts'
import { type PreparedJob, type PrepareJobOptions, prepareJob } from './prepare-job.ts'

export interface PlanOptions extends PrepareJobOptions {
  readonly json?: boolean
  readonly mermaid?: boolean
  /** Compared with this: `latest`, or the folder of a checkpoint or savepoint. */
  readonly against?: string
  readonly dropState?: readonly string[]
  /** Whose it is, where that is another job. */
  readonly fromJob?: string
  /** Gets the words of what cannot be rolled out, for who cannot read the log. */
  readonly verdict?: string
}

/** As much as a termination message holds. */
const VERDICT_BYTES_MAX = 4_000

/** Exit code 3: the job is right, and does not fit its state. */
export async function plan(options: PlanOptions, io: CliIo): Promise<number> {
  const { verdict } = options
  try {
    const prepared = await prepareJob(options, io)
    show(prepared, options, io)
    const errors = await compare(prepared, options, io)
    if (errors.length === 0) return exitCodes.ok
    const text = errors.map(error => describeError(error)).join('')
    if (verdict !== undefined) writeVerdict(verdict, text)
    io.err.write(text)
    return exitCodes.blocked
  } catch (error) {
    // A store that cannot be reached says nothing about the job: the plan may be made again.
    const isVerdict = isWeirError(error) && error.domain === 'user'
    if (verdict !== undefined && isVerdict) writeVerdict(verdict, describeError(error))
    if (verdict === undefined || isVerdict) throw error
    io.err.write(describeError(error))
    return exitCodes.failed
  }
}

function show({ graph, manifest }: PreparedJob, options: PlanOptions, io: CliIo): void {
  const overtaking = manifest.spec.checkpoint.alignment !== 'aligned'
  const text = options.json
    ? planJson(graph)
    : options.mermaid
      ? planMermaid(graph)
      : planText(graph, { overtaking })
  io.out.write(text.endsWith('\n') ? text : `${text}\n`)
}

async function compare(
  prepared: PreparedJob,
  { against, dropState, fromJob }: PlanOptions,
  io: CliIo,
): Promise<StateCheck['errors']> {
  if (against === undefined) return []
  const { path, errors, notes } = await checkState(
    prepared,
    { restore: against, ...(dropState && { dropState }), ...(fromJob && { fromJob }) },
    io,
  )
  const compared = path === undefined ? 'no state yet: it would begin empty' : `state of ${path}`
  io.err.write(`${compared}${errors.length === 0 ? '' : ' does not fit'}\n`)
  for (const note of notes) io.err.write(`  ${note}\n`)
  return errors
}

function writeVerdict(file: string, text: string): void {
  writeFileSync(file, Buffer.from(text).subarray(0, VERDICT_BYTES_MAX))
}
