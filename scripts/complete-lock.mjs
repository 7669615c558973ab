/**
 * Adds to package-lock.json the platform packages that `npm install` left out.
 *
 *   node scripts/complete-lock.mjs     after every `npm install` that changed the lock file
 *
 * A registry that mirrors only some platforms makes npm write a lock file without the others, which
 * `npm ci` then refuses everywhere. Version and platform are all `npm ci` needs to pass over them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json')
const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64']

/** `@swc/core-linux-x64-musl` says where it belongs. */
function platformOf(name) {
  const words = name.split(/[-/]/)
  const os = words.filter(word => systems.includes(word))
  const cpu = words.filter(word => processors.includes(word))
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : undefined
  return os.length === 1 && cpu.length === 1 ? { os, cpu, ...(libc && { libc }) } : undefined
}

const lock = JSON.parse(readFileSync(file, 'utf8'))
const { packages } = lock
let added = 0
for (const parent of Object.values(packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`
    const platform = platformOf(name)
    if (key in packages || platform === undefined) continue
    const dev = parent.dev === true ? { dev: true } : {}
    packages[key] = { version: version.replace(/^[\^~]/, ''), ...dev, optional: true, ...platform }
    added++
  }
}
const { '': root, ...others } = packages
const sorted = Object.entries(others).sort(([a], [b]) => a.localeCompare(b, 'en'))
lock.packages = { '': root, ...Object.fromEntries(sorted) }
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`)
console.log(`${added} platform packages added`)
