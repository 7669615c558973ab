/**
 * Type-checks a job before anything runs, by spawning tsc: TypeScript 7 has no compiler API. The
 * caller keeps the result, so that an unchanged job costs nothing.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Installation, packageNamed } from './installation.ts'
import type { ShowPlace } from './job-file.ts'

export interface CheckTypesOptions {
  /** Absolute path of the job module. */
  readonly entry: string
  readonly installation: Installation
  /** Holds the generated tsconfig. */
  readonly workFolder: string
  readonly nodePath: string
  readonly showPlace: ShowPlace
}

/** The errors, one line each with its place; none when the job is right. */
export async function checkTypes(options: CheckTypesOptions): Promise<readonly string[]> {
  const { installation, nodePath, workFolder } = options
  if (installation.isCheckout) await makeDeclarations(installation, nodePath)
  const config = join(workFolder, 'tsconfig.json')
  mkdirSync(workFolder, { recursive: true })
  writeFileSync(config, JSON.stringify(configFor(options)))
  const tsc = join(packageNamed('typescript', installation.home), 'bin/tsc')
  const { code, output } = await run({
    command: nodePath,
    args: [tsc, '-p', config, '--pretty', 'false'],
    // tsc names files relative to where it runs.
    cwd: workFolder,
  })
  if (code === 0) return []
  return readErrors(output, workFolder, options.showPlace)
}

function configFor({ entry, installation }: CheckTypesOptions): object {
  const types = join(installation.home, 'dist/types')
  const nodeTypes = dirname(packageNamed('@types/node', installation.home))
  const weir = {
    weir: [join(types, 'index.d.ts')],
    'weir/testing': [join(types, 'testing/index.d.ts')],
  }
  // A module outside any project still may import what Weir brings, such as zod.
  const others = hasPackages(entry) ? {} : { '*': [join(installation.packagesFolder, '*')] }
  return {
    extends: join(installation.home, 'tsconfig.job.json'),
    compilerOptions: { typeRoots: [nodeTypes], types: ['node'], paths: { ...weir, ...others } },
    files: [entry],
  }
}

function hasPackages(entry: string): boolean {
  let folder = dirname(entry)
  while (!existsSync(join(folder, 'node_modules'))) {
    const parent = dirname(folder)
    if (parent === folder) return false
    folder = parent
  }
  return true
}

/**
 * In a checkout the declarations follow the sources; the script does nothing when they are fresh.
 */
async function makeDeclarations({ home }: Installation, nodePath: string): Promise<void> {
  const { code, output } = await run({
    command: nodePath,
    args: [join(home, 'scripts/build.mjs'), '--types'],
    cwd: home,
  })
  if (code !== 0) throw new Error(`declarations of Weir could not be made:\n${output}`)
}

const errorLine = /^(.+)\((\d+),(\d+)\): error (TS\d+): (.*)$/

/** tsc writes `file(line,column): error TS1: text`, and indents what explains it. */
function readErrors(output: string, base: string, showPlace: ShowPlace): readonly string[] {
  const errors: string[] = []
  for (const line of output.split('\n')) {
    const match = errorLine.exec(line)
    if (match !== null) {
      const [, file = '', row, column, code, text] = match
      const place = showPlace(resolve(base, file), Number(row), Number(column))
      errors.push(`${place}  ${code}: ${text}`)
    } else if (line.startsWith(' ') && errors.length > 0) {
      errors[errors.length - 1] += `\n      ${line.trim()}`
    } else if (line.trim() !== '') errors.push(line)
  }
  return errors
}

interface Finished {
  readonly code: number
  readonly output: string
}

interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
}

function run({ command, args, cwd }: Program): Promise<Finished> {
  return new Promise((resolvePromise, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', reject)
    child.on('close', code => resolvePromise({ code: code ?? 1, output }))
  })
}
