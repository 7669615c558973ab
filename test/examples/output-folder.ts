/** Runs a sample in this process and reads the rows of its file sink. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Job } from '../../src/api/job.ts'
import { type RunJobOptions, runJob } from '../../src/testing/run-job.ts'

/** The rows that the job left: those of one subtask in the order in which it wrote them. */
export async function rowsOf<Row>(job: Job, options: RunJobOptions): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-example-'))
  try {
    await runJob(job, { ...options, args: { ...options.args, output: folder } })
    return readRows(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function readRows<Row>(folder: string): readonly Row[] {
  const files = readdirSync(folder).filter(name => name.startsWith('part-'))
  const inOrder = files.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  return inOrder.flatMap(name =>
    readFileSync(join(folder, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Row),
  )
}
