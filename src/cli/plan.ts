/** `weir plan`: prints the graph of a job; runs nothing. */
import { planJson } from '../graph/plan-json.ts'
import { planMermaid } from '../graph/plan-mermaid.ts'
import { planText } from '../graph/plan-text.ts'
import { type CliIo, exitCodes } from './cli-io.ts'
import { type PrepareJobOptions, prepareJob } from './prepare-job.ts'

export interface PlanOptions extends PrepareJobOptions {
  readonly json?: boolean
  readonly mermaid?: boolean
}

export async function plan(options: PlanOptions, io: CliIo): Promise<number> {
  const { graph, manifest } = await prepareJob(options, io)
  const overtaking = manifest.spec.checkpoint.alignment !== 'aligned'
  const text = options.json
    ? planJson(graph)
    : options.mermaid
      ? planMermaid(graph)
      : planText(graph, { overtaking })
  io.out.write(text.endsWith('\n') ? text : `${text}\n`)
  return exitCodes.ok
}
