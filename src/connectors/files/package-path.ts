/** Finds files of installed npm packages: data that travels with the code that reads it. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const SCHEME = 'package:'

/**
 * `package:vega-datasets/data/flights-3m.parquet` as a path: below the nearest `node_modules` that
 * has it, seen from where the job was started, then from the folder `from`. Any other path as it
 * is.
 */
export function resolvePackagePath(given: string, from: string): string {
  if (!given.startsWith(SCHEME)) return given
  const wanted = join('node_modules', given.slice(SCHEME.length))
  for (const place of [resolve('.'), from]) {
    for (let folder = place; ; folder = dirname(folder)) {
      if (existsSync(join(folder, wanted))) return join(folder, wanted)
      if (folder === dirname(folder)) break
    }
  }
  return resolve(wanted)
}
