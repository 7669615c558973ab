/**
 * Files of Debian packages without installing them: fetched once by apt, which proves each against
 * the signed index, kept by name and version, unpacked by dpkg.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { withAptLists } from './apt-lists.ts'
import { imageErrors } from './image-errors.ts'
import { runCommand } from './run-command.ts'

export interface DebianPackagesOptions {
  readonly packages: readonly string[]
  /** Where fetched archives are kept. */
  readonly cacheFolder: string
  /** Where their files are laid, as under `/`. */
  readonly target: string
}

const INSTALL = 'build it on Debian or Ubuntu'

/** Gives the archives' names, with versions, sorted. Throws WEIR_IMAGE_COMMAND_… */
export function unpackDebianPackages(options: DebianPackagesOptions): Promise<readonly string[]> {
  return withAptLists(() => unpack(options))
}

async function unpack(options: DebianPackagesOptions): Promise<readonly string[]> {
  const { packages, cacheFolder, target } = options
  const files = await describePackages(packages)
  mkdirSync(cacheFolder, { recursive: true })
  mkdirSync(target, { recursive: true })
  if (!files.every(file => existsSync(join(cacheFolder, file.name)))) {
    await fetchPackages(packages, cacheFolder)
  }
  for (const { name, sha256 } of files) {
    const file = join(cacheFolder, name)
    const found = createHash('sha256').update(readFileSync(file)).digest('hex')
    if (found !== sha256) {
      rmSync(file)
      const call = `the archive ${file}`
      throw imageErrors.WEIR_IMAGE_COMMAND_FAILED({ call, reason: `has digest ${found}` })
    }
    await runCommand({ command: 'dpkg', args: ['-x', file, target], install: INSTALL })
  }
  return files.map(file => file.name)
}

interface PackageFile {
  readonly name: string
  readonly sha256: string
}

/** apt prints for each: 'URL' NAME SIZE SHA256:DIGEST */
async function describePackages(packages: readonly string[]): Promise<readonly PackageFile[]> {
  const args = ['download', '--print-uris', ...packages]
  const printed = await runCommand({ command: 'apt-get', args, install: INSTALL })
  const files = [...printed.matchAll(/^'[^']+' (\S+) \d+ SHA256:([0-9a-f]{64})$/gm)]
  if (files.length !== packages.length) {
    const call = `apt-get ${args.join(' ')}`
    const reason = 'named not all of them: run apt-get update as root'
    throw imageErrors.WEIR_IMAGE_COMMAND_FAILED({ call, reason })
  }
  return files
    .map(([, name = '', sha256 = '']) => ({ name, sha256 }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

async function fetchPackages(packages: readonly string[], cacheFolder: string): Promise<void> {
  const draft = mkdtempSync(join(cacheFolder, 'draft-'))
  try {
    const args = ['download', '-q', '-o', 'APT::Sandbox::User=root', ...packages]
    await runCommand({ command: 'apt-get', args, cwd: draft, install: INSTALL })
    for (const { name } of await describePackages(packages)) {
      renameSync(join(draft, name), join(cacheFolder, name))
    }
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
