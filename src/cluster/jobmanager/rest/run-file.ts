/**
 * Run files: one for each running job under `.weir/run` of the folder it was started in. A run file
 * says where the job's REST API is, and holds its token: only its owner may read it. It is removed
 * at the job's end; one whose process is gone is stale and removed by whoever finds it.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { z } from 'zod'

const runFileSchema = z.object({
  formatVersion: z.literal(1),
  jobId: z.string(),
  /** Of the manifest. */
  name: z.string(),
  pid: z.int().positive(),
  /** Of the REST API; a token must not be sent to another machine. */
  url: z.string().regex(/^http:\/\/127\.0\.0\.1:\d{1,5}\/api\/v1$/),
  token: z.string().min(1),
  /** ms since the epoch. */
  startedAtMs: z.number(),
  /** Where its checkpoints are. */
  store: z.string().optional(),
})

export type RunFile = Readonly<z.infer<typeof runFileSchema>>

/** Writes the file whole or not at all, readable by its owner only. */
export function writeRunFile(cwd: string, run: RunFile): void {
  const folder = folderOf(cwd)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${run.jobId}.json`)
  const begun = join(folder, `.${run.jobId}.${run.pid}`)
  rmSync(begun, { force: true })
  writeFileSync(begun, `${JSON.stringify(run, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
  renameSync(begun, file)
}

/** Removes the job's file, unless it belongs to a later run. */
export function removeRunFile(cwd: string, { jobId, token }: RunFile): void {
  const file = join(folderOf(cwd), `${jobId}.json`)
  if (read(file)?.token === token) rmSync(file, { force: true })
}

/** The jobs that run, the oldest first. Files that are no run files are left alone. */
export function findRunFiles(cwd: string): readonly RunFile[] {
  const found: RunFile[] = []
  for (const name of namesIn(folderOf(cwd))) {
    if (name.startsWith('.') || !name.endsWith('.json')) continue
    const file = join(folderOf(cwd), name)
    const run = read(file)
    if (run === undefined) continue
    if (isAlive(run.pid)) found.push(run)
    else rmSync(file, { force: true })
  }
  return found.sort((a, b) => a.startedAtMs - b.startedAtMs)
}

function folderOf(cwd: string): string {
  return join(cwd, '.weir/run')
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(file: string): RunFile | undefined {
  try {
    return runFileSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}

/** Signal 0 only asks. A process of another user is alive, too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
