/**
 * Lays out what Weir's image holds, a folder for each layer: the C and C++ libraries that Node
 * needs, Node, the packages that Weir depends on, Weir. There is no shell and no package manager.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { unpackDebianPackages } from './debian-packages.ts'
import { IMAGE_HOME, IMAGE_USER, IMAGE_WORK_FOLDER } from './image-config.ts'
import { imageErrors } from './image-errors.ts'

export interface StageImageOptions {
  /** The checkout. */
  readonly home: string
  readonly architecture: 'amd64' | 'arm64'
  readonly cacheFolder: string
  /** Gets a folder for each layer. */
  readonly folder: string
}

export interface StagedImage {
  /** The lowest first. */
  readonly layers: readonly string[]
  /** The archives that the libraries are from. */
  readonly libraries: readonly string[]
}

const libraries = ['libc6', 'libgcc-s1', 'libstdc++6']
/** Of the libraries' packages: text for people, and what a debugger reads. */
const unneeded = ['man', 'lintian', 'locale', 'doc-base', 'gcc', 'gdb']

export async function stageImage(options: StageImageOptions): Promise<StagedImage> {
  const { home, architecture, cacheFolder, folder } = options
  rmSync(folder, { recursive: true, force: true })
  const layer = (name: string): string => join(folder, name)
  const base = layer('1-libraries')
  const archives = await unpackDebianPackages({
    packages: libraries.map(name => `${name}:${architecture}`),
    cacheFolder: join(cacheFolder, 'image/debian'),
    target: base,
  })
  trimLibraries(base)
  writeSystemFiles(base)
  const npmArchitecture = architecture === 'amd64' ? 'x64' : 'arm64'
  stageNode(home, `node-linux-${npmArchitecture}`, layer('2-node'))
  stagePackages(home, npmArchitecture, layer('3-packages'))
  stageWeir(home, layer('4-weir'))
  const layers = readdirSync(folder).toSorted().map(layer)
  for (const one of layers) settleModes(one)
  for (const name of ['tmp', IMAGE_WORK_FOLDER]) chmodSync(join(base, name), 0o1777)
  return { layers, libraries: archives }
}

function trimLibraries(base: string): void {
  for (const name of unneeded)
    rmSync(join(base, 'usr/share', name), { recursive: true, force: true })
  for (const file of readdirSync(base, { recursive: true, encoding: 'utf8' })) {
    const isUnneeded =
      /\/(gconv|audit)$/.test(file) || /\/doc\/[^/]+\/(?!copyright)[^/]+$/.test(file)
    if (isUnneeded) rmSync(join(base, file), { recursive: true, force: true })
  }
}

/** Names for the numbers, and where names of hosts are looked up. */
function writeSystemFiles(base: string): void {
  const folders = ['dev', 'etc', 'proc', 'sys', 'tmp', IMAGE_WORK_FOLDER]
  for (const name of folders) mkdirSync(join(base, name), { recursive: true })
  const user = `weir:x:${IMAGE_USER}:${IMAGE_USER}::${IMAGE_WORK_FOLDER}:/sbin/nologin\n`
  writeFileSync(join(base, 'etc/passwd'), `root:x:0:0::/:/sbin/nologin\n${user}`)
  writeFileSync(join(base, 'etc/group'), `root:x:0:\nweir:x:${IMAGE_USER}:\n`)
  writeFileSync(join(base, 'etc/nsswitch.conf'), 'hosts: files dns\n')
}

function stageNode(home: string, name: string, target: string): void {
  const from = join(home, 'node_modules', name)
  copy(join(from, 'bin/node'), join(target, 'usr/local/bin/node'), home)
  copy(join(from, 'LICENSE'), join(target, 'usr/local/share/node/LICENSE'), home)
}

interface LockedPackage {
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
}

/** What `npm ci --omit=dev` would lay there, without Node itself. */
function stagePackages(home: string, architecture: string, target: string): void {
  const lock = JSON.parse(readFileSync(join(home, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>
  }
  for (const [path, locked] of Object.entries(lock.packages)) {
    const isForTests = locked.dev === true || locked.devOptional === true
    const isNode = basename(path).startsWith('node-linux-')
    if (path === '' || isForTests || isNode || !fits(locked, architecture)) continue
    cpSync(required(join(home, path), home), join(target, IMAGE_HOME, path), {
      recursive: true,
      filter: file => !isLeftOut(file.slice(home.length + 1 + path.length)),
    })
  }
}

function fits({ os = ['linux'], cpu, libc = ['glibc'] }: LockedPackage, architecture: string) {
  const isFor = (wanted: readonly string[], what: string): boolean => wanted.includes(what)
  return isFor(os, 'linux') && isFor(cpu ?? [architecture], architecture) && isFor(libc, 'glibc')
}

/** `path` is within its package. Packages inside it come by their own entry of the lock file. */
function isLeftOut(path: string): boolean {
  const isForReaders = /\.(map|md|markdown)$/.test(path) && !/licen[cs]e|notice/i.test(path)
  return isForReaders || /\/(node_modules|dist-types|tests?|benchmarks?)(\/|$)/.test(path)
}

/** The files of the package as npm publishes it; its launcher is a shell script. */
function stageWeir(home: string, target: string): void {
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
    readonly files: readonly string[]
  }
  for (const name of ['package.json', ...manifest.files.filter(file => file !== 'weir')]) {
    copy(join(home, name), join(target, IMAGE_HOME, name), home)
  }
  const launcher = join(target, 'usr/local/bin/weir')
  mkdirSync(dirname(launcher), { recursive: true })
  const first = '#!/usr/local/bin/node --disable-warning=ExperimentalWarning'
  writeFileSync(launcher, `${first}\nimport('${IMAGE_HOME}/dist/bin/weir.js')\n`, { mode: 0o755 })
}

function copy(from: string, to: string, home: string): void {
  cpSync(required(from, home), to, { recursive: true })
}

function required(path: string, home: string): string {
  if (existsSync(path)) return path
  throw imageErrors.WEIR_IMAGE_PART_MISSING({ part: path.slice(home.length + 1), folder: home })
}

/** Modes come from the umask of whoever cloned; the image has the same for everyone. */
function settleModes(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    const isProgram = entry.isDirectory() || (statSync(path).mode & 0o100) !== 0
    chmodSync(path, isProgram ? 0o755 : 0o644)
  }
}
