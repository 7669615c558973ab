/** Where in a job's source an error came from. */
import { fileURLToPath } from 'node:url'
import type { ShowPlace } from './job-file.ts'

const frame = /\(?((?:file:\/\/)?\/[^():]+):(\d+):(\d+)\)?$/

/**
 * The first frame of the stack that is a file of the job; source maps have been applied already. An
 * empty text when there is none.
 */
export function errorPlace(error: unknown, home: string, showPlace: ShowPlace): string {
  if (!(error instanceof Error) || error.stack === undefined) return ''
  for (const line of error.stack.split('\n')) {
    const match = frame.exec(line.trim())
    if (match === null) continue
    const [, location = '', row, column] = match
    const file = location.startsWith('file:') ? fileURLToPath(location) : location
    if (!/\.m?[tj]s$/.test(file) || isOurs(file, home)) continue
    return showPlace(file, Number(row), Number(column))
  }
  return ''
}

/** Packages and the engine only stand between the error and the job. */
function isOurs(file: string, home: string): boolean {
  const inHome = file.startsWith(`${home}/`) ? file.slice(home.length) : ''
  const isEngine = /^\/(dist|src)\//.test(inHome) && !inHome.startsWith('/src/examples/')
  return isEngine || file.includes('/node_modules/')
}
