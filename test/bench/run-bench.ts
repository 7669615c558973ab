/**
 * Runs one benchmark, or all of them, each in a process of its own so that the type feedback of one
 * does not slow the next. `./weir bench` starts this file with the flags of `./weir run`.
 *
 *   run-bench.ts --list [--json]
 *   run-bench.ts [NAME] [--json] [the benchmark's own arguments]
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Bench, type BenchIo, type Comparison, formatComparison } from './bench-harness.ts'

const folder = import.meta.dirname
const suffix = '.bench.ts'

function benchNames(): string[] {
  return readdirSync(folder)
    .filter(file => file.endsWith(suffix))
    .map(file => basename(file, suffix))
    .toSorted()
}

async function loadBench(name: string): Promise<Bench> {
  const module: Record<string, unknown> = await import(
    pathToFileURL(join(folder, name + suffix)).href
  )
  const [only, ...others] = Object.values(module) as Bench[]
  if (only === undefined || others.length > 0 || only.name !== name) {
    throw new Error(`${name}${suffix} must export one bench named ${name}, made by defineBench`)
  }
  return only
}

async function list(json: boolean): Promise<void> {
  const benches = await Promise.all(benchNames().map(loadBench))
  const rows = benches.map(({ name, summary }) => ({ name, summary }))
  if (json) console.log(JSON.stringify(rows, undefined, 2))
  else for (const row of rows) console.log(`${row.name.padEnd(16)} ${row.summary}`)
}

async function runOne(name: string, args: readonly string[]): Promise<void> {
  const json = args.includes('--json')
  const rest = args.filter(arg => arg !== '--json')
  const tables: Comparison[] = []
  const option = (key: string, fallback: string): string => {
    const at = rest.indexOf(`--${key}`)
    return at < 0 ? fallback : (rest[at + 1] ?? fallback)
  }
  const io: BenchIo = {
    args: rest,
    print: line => {
      if (!json) console.log(line)
    },
    report: table => {
      tables.push(table)
      if (!json) console.log(`${formatComparison(table)}\n`)
    },
    option,
    count: (key, fallback) => {
      const value = Number(option(key, String(fallback)).replaceAll('_', ''))
      if (!Number.isFinite(value)) throw new Error(`--${key} wants a number`)
      return value
    },
  }
  const bench = await loadBench(name)
  await bench.run(io)
  if (json) console.log(JSON.stringify({ name, tables }, undefined, 2))
}

function runAll(args: readonly string[]): number {
  let worst = 0
  for (const name of benchNames()) {
    console.log(`# ${name}`)
    const child = spawnSync(
      process.execPath,
      [...process.execArgv, import.meta.filename, name, ...args],
      { stdio: 'inherit' },
    )
    worst = Math.max(worst, child.status ?? 1)
  }
  return worst
}

async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args
  if (args.includes('--list')) {
    await list(args.includes('--json'))
    return 0
  }
  if (first === undefined || first.startsWith('--')) return runAll(args)
  if (!benchNames().includes(first)) {
    console.error(`no benchmark is named ${first}\n  next: ./weir bench --list shows all`)
    return 2
  }
  await runOne(first, rest)
  return 0
}

process.exitCode = await main(process.argv.slice(2))
