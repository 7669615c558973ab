/** Runs another program of this checkout on the same terminal. */
import { spawn } from 'node:child_process'
import { type CliIo, exitCodes } from './cli-io.ts'

export interface Inherited {
  readonly args: readonly string[]
  readonly cwd: string
  /** Added to the environment that this process has. */
  readonly env: Readonly<Record<string, string>>
}

/** Runs Node as a child on this terminal; its exit code becomes ours. */
export function runInherited(io: CliIo, { args, cwd, env }: Inherited): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(io.nodePath, args, {
      cwd,
      stdio: 'inherit',
      env: { ...io.environment, ...env },
    })
    // The terminal sends Ctrl-C to the child as well: it ends, and we with it.
    const release = io.onStop(signal => child.kill(signal))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      release()
      // Killed from outside, say for its memory, it had no last word.
      if (signal !== null) io.err.write(`weir: the program was ended by ${signal}\n`)
      resolve(code ?? (signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.failed))
    })
  })
}
