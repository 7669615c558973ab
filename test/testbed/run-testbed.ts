/**
 * `weir testbed up|down|status [PART] [--name NAME] [--host ADDRESS] [--owner PID] [--json]`: real
 * parts that run until they are told to stop, or until their owner ends. Several of one kind have
 * names of their own; what pods are to reach listens at an address of theirs.
 * `load kube ARCHIVE` gives the real node of Kubernetes an image. `prepare MANIFEST` is what `weir run --testbed` asks for.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { holdLock } from './hold-lock.ts'
import { testbedFolder } from './install-once.ts'
import { loadImage } from './kube/enter-node.ts'
import type { PartEnvironment, PartName } from './part.ts'
import { parts } from './parts.ts'
import { prepareRun } from './prepare-run.ts'
import { isRunning, serverPid, stopServer } from './server-process.ts'
import { TestbedError } from './testbed-error.ts'

interface Instance {
  readonly name: string
  readonly part: PartName
  readonly title: string
  readonly folder: string
  readonly environment: PartEnvironment
}

interface Request {
  readonly part: PartName
  readonly name: string
  readonly owner: number
  readonly host?: string | undefined
}

const running = join(testbedFolder(), 'running')
const names = Object.keys(parts).join('|')
const usage = `weir testbed up|down|status [${names}] [--name NAME] [--host ADDRESS] [--json], or load kube ARCHIVE`

async function up({ part, name, owner, host }: Request): Promise<Instance> {
  const folder = join(running, name)
  return holdLock(`${folder}.lock`, async () => {
    const found = instanceAt(name)
    if (found !== undefined && isRunning(folder)) return found
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const { title } = parts[part]
    process.stderr.write(`testbed: starting ${title} (the first time it is installed before)\n`)
    const environment = await parts[part].start({ folder, owner, host })
    const instance = { name, part, title, folder, environment }
    writeFileSync(join(folder, 'instance.json'), JSON.stringify(instance))
    return instance
  })
}

/** With the data: a part that is started again begins anew. */
async function down(name: string): Promise<boolean> {
  const folder = join(running, name)
  if (!existsSync(folder)) return false
  const wasRunning = isRunning(folder)
  await stopServer(folder)
  rmSync(folder, { recursive: true, force: true })
  return wasRunning
}

function instanceAt(name: string): Instance | undefined {
  const file = join(running, name, 'instance.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Instance) : undefined
}

function instances(): readonly Instance[] {
  const names = existsSync(running) ? readdirSync(running).toSorted() : []
  return names
    .map(instanceAt)
    .filter(one => one !== undefined)
    .filter(one => isRunning(one.folder))
}

function describeInstance(one: Instance): string {
  const pid = serverPid(one.folder)
  const lines = [`${one.name} is up: ${one.title}, process ${pid}, log ${join(one.folder, 'log')}`]
  for (const [name, value] of Object.entries(one.environment)) {
    lines.push(`export ${name}=${value}`)
  }
  return lines.join('\n')
}

async function perform(verb: string, request: Request | undefined): Promise<readonly Instance[]> {
  if (verb === 'status') {
    return instances().filter(one => request === undefined || one.name === request.name)
  }
  if (request === undefined) throw new TestbedError(`weir testbed ${verb} names no part`, usage)
  if (verb === 'up') return [await up(request)]
  const wasRunning = await down(request.name)
  process.stderr.write(`testbed: ${request.name} ${wasRunning ? 'is stopped' : 'was not up'}\n`)
  return []
}

async function prepare(file: string): Promise<number> {
  const [kafka, s3] = await Promise.all(
    (['kafka', 's3'] as const).map(part => up({ part, name: part, owner: 0 })),
  )
  const prepared = await prepareRun(file, {
    kafka: kafka?.environment ?? {},
    s3: s3?.environment ?? {},
  })
  process.stderr.write('testbed: kafka and s3 stay up; weir testbed down kafka, s3 ends them\n')
  process.stdout.write(`${JSON.stringify(prepared)}\n`)
  return 0
}

async function load(name: string, file: string): Promise<number> {
  const folder = join(running, name)
  if (!isRunning(folder)) {
    throw new TestbedError(`${name} is not up`, `./weir testbed up kube --name ${name}`)
  }
  process.stdout.write(await loadImage(folder, file))
  return 0
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      owner: { type: 'string', default: '0' },
      host: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const [verb = '', part, file] = positionals
  if (verb === 'prepare') return prepare(part ?? '')
  if (verb === 'load' && part === 'kube' && file !== undefined) {
    return load(values.name ?? part, file)
  }
  if (!['up', 'down', 'status'].includes(verb)) {
    throw new TestbedError(`weir testbed does not know ${JSON.stringify(verb)}`, usage)
  }
  if (part !== undefined && !Object.hasOwn(parts, part)) {
    throw new TestbedError(`the testbed has no part ${JSON.stringify(part)}`, usage)
  }
  const request =
    part === undefined
      ? undefined
      : {
          part: part as PartName,
          name: values.name ?? part,
          owner: Number(values.owner),
          host: values.host,
        }
  const found = await perform(verb, request)
  const none = verb === 'status' ? 'nothing is up\n' : ''
  if (values.json) process.stdout.write(`${JSON.stringify(found)}\n`)
  else process.stdout.write(found.map(one => `${describeInstance(one)}\n`).join('') || none)
  return verb === 'status' && request !== undefined && found.length === 0 ? 1 : 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof TestbedError ? error : (error as Error).message}\n`)
  process.exitCode = error instanceof TestbedError && error.next === usage ? 2 : 1
}
