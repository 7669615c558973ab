/**
 * Runs a file of conformance vectors: `npm run -s conformance -- SUITE FILE`. SUITE names the runner
 * beside this file; every line of FILE is a case of its own.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** `undefined` when the case passes, else what differs. */
export type RunVector = (line: unknown) => string | undefined | Promise<string | undefined>

export interface SuiteResult {
  readonly passed: number
  /** What differs, by line number from 1. */
  readonly failures: readonly { readonly line: number; readonly text: string }[]
}

const SHOWN_MAX = 10
const notSuites: ReadonlySet<string> = new Set([
  'run',
  'vectors',
  'timer-vectors',
  'vector-folder',
  'window-vectors',
])

/** The suites that have a runner. */
export function suiteNames(): readonly string[] {
  return readdirSync(import.meta.dirname)
    .filter(file => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map(file => file.slice(0, -'.ts'.length))
    .filter(name => !notSuites.has(name))
    .toSorted()
}

/** Runs every line of a file through the suite's runner. */
export async function runSuite(suite: string, file: string): Promise<SuiteResult> {
  const lines = readFileSync(file, 'utf8').split('\n')
  const module: { run: RunVector } = await import(
    pathToFileURL(join(import.meta.dirname, `${suite}.ts`)).href
  )
  const failures: { line: number; text: string }[] = []
  let passed = 0
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue
    const text = await runLine(module.run, line)
    if (text === undefined) passed++
    else failures.push({ line: index + 1, text })
  }
  return { passed, failures }
}

/** A runner that throws has failed that line only. */
async function runLine(run: RunVector, line: string): Promise<string | undefined> {
  try {
    return await run(JSON.parse(line))
  } catch (error) {
    return (error as Error).stack ?? String(error)
  }
}

async function main(args: readonly string[]): Promise<number> {
  const [suite, file] = args
  const names = suiteNames()
  if (suite === undefined || file === undefined || args.length > 2) {
    console.error('usage: npm run -s conformance -- SUITE FILE')
    console.error(`  suites: ${names.join(', ')}`)
    return 2
  }
  if (!names.includes(suite)) {
    console.error(`no suite is named ${suite}\n  next: use one of ${names.join(', ')}`)
    return 2
  }
  let result: SuiteResult
  try {
    result = await runSuite(suite, file)
  } catch (error) {
    console.error(`cannot run ${file}: ${(error as Error).message}`)
    return 2
  }
  const { passed, failures } = result
  for (const { line, text } of failures.slice(0, SHOWN_MAX)) console.log(`line ${line}: ${text}`)
  if (failures.length > SHOWN_MAX) console.log(`… and ${failures.length - SHOWN_MAX} more`)
  console.log(`${passed} passed, ${failures.length} failed`)
  return failures.length > 0 ? 1 : 0
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2))
