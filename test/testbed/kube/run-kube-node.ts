/**
 * Keeps a real node in namespaces of its own: processes, mounts, network. They hang on one process; when
 * it ends, however that comes about, the kernel ends all containers, mounts and addresses with it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { program } from './kube-components.ts'
import { clearTraces, connectNode, makeCgroups } from './kube-network.ts'
import type { KubePlan } from './kube-plan.ts'

const POLL_MS = 10

export async function runKubeNode(plan: KubePlan, file: string): Promise<void> {
  const { index } = plan.network
  makeCgroups(index)
  const node = startNode(plan, file)
  process.once('SIGTERM', () => node.kill('SIGKILL'))
  const ended = new Promise<number>(resolve => node.once('close', code => resolve(code ?? 1)))
  const first = await firstProcess(node)
  try {
    if (first !== undefined) await connect(plan, first)
  } catch (error) {
    node.kill('SIGKILL')
    process.stderr.write(`${String(error)}\n`)
  }
  process.exitCode = await ended
  // The first process of a namespace is the last to end.
  while (first !== undefined && !hasEnded(first)) await pause(POLL_MS)
  await cleared(index)
}

async function connect({ folder, network }: KubePlan, first: number): Promise<void> {
  writeFileSync(join(folder, 'init'), String(first))
  await connectNode(network, first)
  // What runs inside waits for it.
  writeFileSync(join(folder, 'connected'), '')
}

/** Whoever inherits it may be slow to ask how it ended. */
function hasEnded(pid: number): boolean {
  const file = `/proc/${pid}/stat`
  return !existsSync(file) || readFileSync(file, 'utf8').includes(') Z')
}

/** `pause` is the node's first process; it ends with its command, and `unshare` with it. */
function startNode({ programs }: KubePlan, file: string): ChildProcess {
  const runner = join(import.meta.dirname, 'run-kube.ts')
  const flags = ['--mount', '--net', '--pid', '--fork', '--kill-child=KILL', '--mount-proc']
  const inside = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    runner,
    file,
    '--inside',
  ]
  const command = ['unshare', ...flags, program(programs, 'pause'), ...inside]
  return spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}

/** Its number outside; `undefined` where it ended before it was there. */
async function firstProcess(node: ChildProcess): Promise<number | undefined> {
  while (node.exitCode === null && node.signalCode === null) {
    const file = `/proc/${node.pid}/task/${node.pid}/children`
    const children = readFileSync(file, 'utf8').trim()
    if (children !== '') return Number(children.split(' ')[0])
    await pause(POLL_MS)
  }
  return undefined
}

/** The kernel takes a moment to end the last container. */
async function cleared(index: number): Promise<void> {
  for (;;) {
    try {
      return await clearTraces(index)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
      await pause(POLL_MS)
    }
  }
}
