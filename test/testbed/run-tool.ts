import { spawn } from 'node:child_process'
import { TestbedError } from './testbed-error.ts'

const LIMIT_MS = 20 * 60_000
const SHOWN_LINES = 20

export interface ToolOptions {
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  /** What to install where the tool is not there. */
  readonly install: string
  /** After which it is ended; 20 minutes where nothing is said. */
  readonly limitMs?: number
  /** Default: what went to standard error is given as well. */
  readonly gives?: 'output'
}

/** Runs a tool of the machine to its end; gives what it printed. */
export function runTool(
  command: string,
  args: readonly string[],
  options: ToolOptions,
): Promise<string> {
  const { cwd, environment, install, gives, limitMs = LIMIT_MS } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
      ...(cwd === undefined ? {} : { cwd }),
    })
    const limit = setTimeout(() => child.kill('SIGKILL'), limitMs)
    let out = ''
    let said = ''
    const listen = (text: string): void => {
      said += text
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      listen(text)
    })
    child.stderr.setEncoding('utf8').on('data', listen)
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(limit)
      const isMissing = error.code === 'ENOENT'
      const message = isMissing ? `${command} is not installed` : `${command}: ${error.message}`
      reject(new TestbedError(message, install, isMissing))
    })
    child.on('close', code => {
      clearTimeout(limit)
      if (code === 0) return resolve(gives === 'output' ? out : said)
      const end = said.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n')
      const call = [command, ...args].join(' ')
      reject(new TestbedError(`${call} ended with ${code}\n${end}`, 'see its own words above'))
    })
  })
}
