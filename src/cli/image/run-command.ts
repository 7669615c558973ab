import { spawn } from 'node:child_process'
import { imageErrors } from './image-errors.ts'

const SHOWN_LINES = 20

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  /** What brings the command where it is not there. */
  readonly install: string
}

/** Runs a command of the machine to its end; gives what it printed. Throws WEIR_IMAGE_COMMAND_… */
export function runCommand({ command, args, cwd, install }: Command): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let words = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words += text
    })
    child.on('error', (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === 'ENOENT'
      if (isMissing) return reject(imageErrors.WEIR_IMAGE_COMMAND_MISSING({ command, install }))
      reject(failure(command, args, error.message))
    })
    child.on('close', code => {
      if (code === 0) return resolve(out)
      const end = `${out}${words}`.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n')
      reject(failure(command, args, `ended with ${code}\n${end}`))
    })
  })
}

function failure(command: string, args: readonly string[], reason: string): Error {
  const call = [command, ...args].join(' ')
  return imageErrors.WEIR_IMAGE_COMMAND_FAILED({ call, reason })
}
