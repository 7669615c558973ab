/**
 * What the distribution brings for the real node: containerd, runc, network plugins, packet filter.
 * The machine is left as it is: packages that it lacks are unpacked into the cache, and laid over
 * `/usr` where only the node sees them.
 */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { withAptLists } from '../../../src/cli/image/apt-lists.ts'
import { unpackDebianPackages } from '../../../src/cli/image/debian-packages.ts'
import { installOnce, testbedFolder } from '../install-once.ts'
import { runTool } from '../run-tool.ts'

const packages = [
  ...['containerd', 'runc', 'containernetworking-plugins', 'nftables', 'conntrack', 'iptables'],
  'iproute2',
]

const NODE_INSTALL = `take Debian or Ubuntu, or install ${packages.join(', ')}`

/** Gives the folder to lay over `/usr`; `undefined` where the machine has everything. */
export async function nodePackages(): Promise<string | undefined> {
  const files = await missingPackages()
  if (files.length === 0) return undefined
  const digest = createHash('sha256').update(files.join('\n')).digest('hex').slice(0, 8)
  const folder = await installOnce(`kube-packages-${digest}`, async draft => {
    await unpackDebianPackages({
      packages: files.map(file => file.slice(0, file.indexOf('_'))),
      cacheFolder: join(testbedFolder(), 'debian'),
      target: draft,
    })
    joinUsr(draft)
  })
  return join(folder, 'usr')
}

const lean = ['--no-install-recommends', '--no-install-suggests']

/** Names of archives with their versions, dependencies among them. */
async function missingPackages(): Promise<readonly string[]> {
  const args = ['install', '--print-uris', '-qq', '--no-upgrade', ...lean, ...packages]
  const printed = await withAptLists(() => runTool('apt-get', args, { install: NODE_INSTALL }))
  return [...printed.matchAll(/^'[^']+' (\S+_\S+\.deb) /gm)].map(([, file = '']) => file).toSorted()
}

/** Some packages still name the folders that have become links into `/usr`. */
function joinUsr(root: string): void {
  for (const name of ['bin', 'sbin', 'lib']) {
    const from = join(root, name)
    if (!existsSync(from)) continue
    cpSync(from, join(root, 'usr', name), { recursive: true, verbatimSymlinks: true })
    rmSync(from, { recursive: true })
  }
}
