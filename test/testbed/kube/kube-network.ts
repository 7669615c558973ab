/**
 * The addresses, the cable and the control groups of real nodes. A node's namespaces end with its
 * processes; what the kernel keeps beyond them is noted here, and cleared by whoever comes next where
 * the owner was killed.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { holdLock, isAlive } from '../hold-lock.ts'
import { testbedFolder } from '../install-once.ts'
import { runTool } from '../run-tool.ts'
import { isRunning } from '../server-process.ts'
import { TestbedError } from '../testbed-error.ts'
import { cgroupOf, type KubeNetwork, linkOf, networkAt } from './kube-plan.ts'

const NODES_MAX = 250
const notes = (): string => join(testbedFolder(), 'kube-networks')
const CGROUPS = '/sys/fs/cgroup'

interface Note {
  readonly folder: string
  /** Who takes it, until the node itself runs. */
  readonly pid: number
}

/** Takes addresses for the node of the folder: the same again as long as its data is there. */
export function takeNetwork(folder: string): Promise<KubeNetwork> {
  return holdLock(join(testbedFolder(), 'kube-networks.lock'), async () => {
    mkdirSync(notes(), { recursive: true })
    for (const name of readdirSync(notes())) await clearDead(Number(name), folder)
    const taken = readdirSync(notes()).map(Number)
    const own = taken.find(index => noteOf(index).folder === folder)
    const free = Array.from({ length: NODES_MAX }, (_, at) => at + 1)
    const index = own ?? free.find(one => !taken.includes(one))
    if (index === undefined) {
      const next = './weir testbed status names those of this user; ./weir testbed down ends them'
      throw new TestbedError(`${NODES_MAX} real nodes are here already`, next)
    }
    const note: Note = { folder, pid: process.pid }
    writeFileSync(join(notes(), String(index)), JSON.stringify(note))
    return networkAt(index)
  })
}

function noteOf(index: number): Note {
  return JSON.parse(readFileSync(join(notes(), String(index)), 'utf8')) as Note
}

/** Not what another process has taken and not started yet; `own` is the folder that is started now. */
async function clearDead(index: number, own: string): Promise<void> {
  const { folder, pid } = noteOf(index)
  const isBeingStarted = folder !== own && isAlive(pid) && existsSync(folder)
  if (isRunning(folder) || isBeingStarted) return
  await clearTraces(index)
  if (!existsSync(join(folder, 'data'))) rmSync(join(notes(), String(index)))
}

/**
 * Called when all processes of the node have ended. Connections that are not closed to the end keep its
 * network alive for a while, and the cable with it.
 */
export async function clearTraces(index: number): Promise<void> {
  const link = linkOf(index)
  const links = await runIp('-brief', 'link', 'show', 'type', 'veth')
  if (links.includes(`${link}@`)) await runIp('link', 'delete', link)
  for (const folder of cgroupFolders(index)) removeCgroup(folder)
}

function runIp(...args: readonly string[]): Promise<string> {
  return runTool('ip', args, { install: 'install iproute2' })
}

/** From the machine to the node; `pid` is a process in the node's network. No way leads further out. */
export async function connectNode({ index, ...network }: KubeNetwork, pid: number): Promise<void> {
  const link = linkOf(index)
  const inside = (...args: readonly string[]) =>
    runTool('nsenter', ['--target', String(pid), '--net', 'ip', ...args], { install: '' })
  await runIp('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid))
  await runIp('address', 'add', `${network.hostAddress}/24`, 'dev', link)
  await runIp('link', 'set', link, 'up')
  await inside('link', 'set', 'lo', 'up')
  await inside('address', 'add', `${network.address}/24`, 'dev', 'eth0')
  await inside('link', 'set', 'eth0', 'up')
  await inside('route', 'add', 'default', 'via', network.hostAddress)
  for (const range of [network.podRange, network.serviceRange]) {
    await runIp('route', 'add', range, 'via', network.address)
  }
}

/** The kubelet wants the group of its pods to be there. */
export function makeCgroups(index: number): void {
  for (const folder of cgroupFolders(index)) {
    mkdirSync(folder, { recursive: true })
    const above = join(folder, '..')
    for (const name of ['cpuset.cpus', 'cpuset.mems']) {
      const file = join(folder, name)
      // A new group of the first version has no processors at all.
      if (existsSync(file) && readFileSync(file, 'utf8').trim() === '') {
        writeFileSync(file, readFileSync(join(above, name)))
      }
    }
  }
}

/** With the first version a tree for each controller, with the second one for all. */
function cgroupFolders(index: number): readonly string[] {
  const isUnified = existsSync(join(CGROUPS, 'cgroup.controllers'))
  const trees = isUnified ? [''] : readdirSync(CGROUPS)
  return trees.map(tree => join(CGROUPS, tree, cgroupOf(index)))
}

function removeCgroup(folder: string): void {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(folder, entry.name))
  }
  rmdirSync(folder)
}
