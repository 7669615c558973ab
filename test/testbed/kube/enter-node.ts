import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from '../run-tool.ts'

/** What stands before a command to run it among the processes and mounts of a real node. */
export function enterNode(folder: string): readonly [string, ...string[]] {
  const first = readFileSync(join(folder, 'init'), 'utf8')
  return ['nsenter', '--target', first, '--mount', '--pid', '--net']
}

/** Gives the node an image, for pods that name it with `imagePullPolicy: Never`; prints its name. */
export async function loadImage(folder: string, archive: string): Promise<string> {
  // Read outside: some folders of the machine are not those of the node.
  const read = ['sh', '-c', 'archive=$1; shift; exec "$@" <"$archive"', 'sh', archive]
  const load = ['ctr', '--namespace', 'k8s.io', 'images', 'import', '-']
  const [command = '', ...args] = [...read, ...enterNode(folder), ...load]
  return await runTool(command, args, { install: '' })
}

/** Kills a process of the node, such as the kubelet; it is started again. */
export async function killOnNode(folder: string, name: string): Promise<void> {
  const pid = readFileSync(join(folder, 'pids', name), 'utf8')
  const [command, ...args] = [...enterNode(folder), 'kill', '-KILL', pid]
  await runTool(command, args, { install: '' })
}
