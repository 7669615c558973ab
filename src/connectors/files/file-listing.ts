/** Finds the files of a source: single ones, all of a folder, or those that match a pattern. */
import type { Stats } from 'node:fs'
import { glob, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileErrors } from './file-errors.ts'
import { resolvePackagePath } from './package-path.ts'

export interface ListedFile {
  readonly path: string
  readonly sizeBytes: number
}

const PATTERN = /[*?[\]{}]/

/** Whether the path stands for the files that match it; one that exists stands for itself. */
export function isPattern(path: string): boolean {
  return PATTERN.test(path)
}

/**
 * All files of the given paths, absolute, each once; those of one folder or pattern in the order of
 * their names. Names that begin with `.` or `_` are left out: they are unfinished or not data.
 * Throws WEIR_FILE_NOT_FOUND, WEIR_FILE_NOT_REPLAYABLE.
 */
export async function listFiles(paths: readonly string[]): Promise<readonly ListedFile[]> {
  const found = new Map<string, ListedFile>()
  for (const path of paths) {
    for (const file of await listPath(path)) found.set(file.path, file)
  }
  return [...found.values()]
}

async function listPath(given: string): Promise<readonly ListedFile[]> {
  const path = resolve(resolvePackagePath(given, import.meta.dirname))
  const status = await stat(path).catch(() => undefined)
  if (status?.isFile()) return [{ path, sizeBytes: status.size }]
  if (status?.isDirectory()) {
    const entries = await readdir(path, { recursive: true, withFileTypes: true })
    const files = entries.filter(entry => entry.isFile() || entry.isSymbolicLink())
    return statAll(
      files.map(entry => join(entry.parentPath, entry.name)),
      path,
    )
  }
  if (status !== undefined) {
    throw fileErrors.WEIR_FILE_NOT_REPLAYABLE({ path: given, kind: kindOf(status) })
  }
  if (isPattern(given)) {
    const matches: string[] = []
    for await (const match of glob(path)) matches.push(match)
    return statAll(matches, '')
  }
  throw fileErrors.WEIR_FILE_NOT_FOUND({ path: given, folder: resolve('.') })
}

function kindOf(status: Stats): string {
  if (status.isFIFO()) return 'pipe'
  if (status.isSocket()) return 'socket'
  return status.isCharacterDevice() ? 'terminal or device' : 'device'
}

async function statAll(paths: readonly string[], root: string): Promise<ListedFile[]> {
  const files: ListedFile[] = []
  for (const path of paths.toSorted()) {
    if (isHidden(path.slice(root.length))) continue
    // A file that went away between listing and stat is as good as never listed.
    const status = await stat(path).catch(() => undefined)
    if (status?.isFile()) files.push({ path, sizeBytes: status.size })
  }
  return files
}

/** `relative`: below the folder that was asked for; the folder's own name does not hide it. */
function isHidden(relative: string): boolean {
  const names = relative.startsWith('/') ? relative.split('/') : [basename(relative)]
  return names.some(name => name.startsWith('.') || name.startsWith('_'))
}
