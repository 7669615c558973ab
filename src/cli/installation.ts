/**
 * Where the running copy of Weir lies: its package folder, the modules that jobs import from it,
 * and the declarations that jobs are checked against.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { assert } from '../common/assert.ts'

export interface Installation {
  /** The package's folder. */
  readonly home: string
  readonly version: string
  /** Changes with every build: what is derived from a build is cached under it. */
  readonly buildId: string
  /** What `weir` and `weir/testing` are in this process: a job must get the same classes. */
  readonly modules: ReadonlyMap<string, string>
  /** The folder whose packages a job without packages of its own may import. */
  readonly packagesFolder: string
  /** True in a checkout: declarations are made when they are needed. */
  readonly isCheckout: boolean
}

/** The copy that this very file belongs to, built or as sources. */
export function findInstallation(from: string = import.meta.dirname): Installation {
  const home = packageFolder(from)
  const isBuilt = from.startsWith(join(home, 'dist') + sep)
  const root = isBuilt ? join(home, 'dist') : join(home, 'src')
  const extension = isBuilt ? 'js' : 'ts'
  const idFile = join(home, 'dist/build-id')
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
    version: string
  }
  return {
    home,
    version: manifest.version,
    buildId: existsSync(idFile) ? readFileSync(idFile, 'utf8') : 'unbuilt',
    modules: new Map([
      ['weir', pathToFileURL(join(root, `index.${extension}`)).href],
      ['weir/testing', pathToFileURL(join(root, `testing/index.${extension}`)).href],
    ]),
    packagesFolder: dirname(packageNamed('zod', home)),
    isCheckout: existsSync(join(home, 'src/bin')),
  }
}

function packageFolder(from: string): string {
  let folder = from
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    assert(parent !== folder, `a package.json above ${from}`)
    folder = parent
  }
  return folder
}

/** Finds a dependency as Node would: beside the package or in a folder above it. */
export function packageNamed(name: string, from: string): string {
  let folder = from
  for (;;) {
    const candidate = join(folder, 'node_modules', name)
    if (existsSync(candidate)) return candidate
    const parent = dirname(folder)
    assert(parent !== folder, `package ${name} is installed beside ${from}`)
    folder = parent
  }
}
