/**
 * Where in the job author's code a call stands, so that every message about an operator can point
 * at its line.
 */
import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Deep enough for a call made through a few functions of the job's own. */
const FRAMES_MAX = 40

const ownFile = fileURLToPath(import.meta.url)
const sourceRoot = dirname(dirname(ownFile))
/**
 * In the repository the whole `src` is Weir's own; in the package all code lies beside this file.
 */
const ownFolder = ownFile.endsWith(`${sep}api${sep}call-location.ts`)
  ? sourceRoot
  : dirname(ownFile)
const examplesFolder = `${ownFolder}${sep}examples${sep}`

/** `file:line` of the nearest caller outside Weir; `unknown` when there is none. */
export function callLocation(): string {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = FRAMES_MAX
  const { stack } = new Error('call location')
  Error.stackTraceLimit = limit
  return locationIn(stack ?? '')
}

/** The first frame of a stack trace that is neither Weir's nor Node's. */
export function locationIn(stack: string): string {
  for (const line of stack.split('\n')) {
    const frame = /^\s+at (?:.*?\()?(?:async )?((?:file:\/\/)?\/?.+?):(\d+):\d+\)?$/.exec(line)
    if (frame === null) continue
    const [, where, lineNumber] = frame
    if (where === undefined || where.startsWith('node:')) continue
    const file = where.startsWith('file://') ? fileURLToPath(where) : where
    if (!isOwn(file)) return `${file}:${lineNumber}`
  }
  return 'unknown'
}

function isOwn(file: string): boolean {
  return file.startsWith(ownFolder + sep) && !file.startsWith(examplesFolder)
}
