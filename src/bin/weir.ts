/** The door of the command line: the real terminal, environment, signals and clock. */
import process from 'node:process'
import type { CliIo, StopSignal, Terminal } from '../cli/cli-io.ts'
import { runProgram } from '../cli/program.ts'
import { SystemClock } from '../common/clock.ts'
import { readConfig } from '../common/config.ts'

function terminal(stream: NodeJS.WriteStream): Terminal {
  // A reader that has seen enough (`| head`) is no failure of ours.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return {
    write: text => void stream.write(text),
    flushed: () =>
      stream.writableNeedDrain
        ? new Promise(resolve => void stream.once('drain', resolve))
        : undefined,
    isTty: stream.isTTY === true,
    columns: stream.columns ?? 80,
  }
}

function onStop(handler: (signal: StopSignal) => void): () => void {
  const listener = (signal: NodeJS.Signals): void => handler(signal as StopSignal)
  process.on('SIGINT', listener).on('SIGTERM', listener)
  return () => void process.off('SIGINT', listener).off('SIGTERM', listener)
}

const io: CliIo = {
  out: terminal(process.stdout),
  err: terminal(process.stderr),
  cwd: process.cwd(),
  config: readConfig(process.env),
  environment: process.env,
  clock: new SystemClock(),
  nodePath: process.execPath,
  onStop,
  exitNow: code => process.exit(code),
}

process.exitCode = await runProgram(process.argv.slice(2), io)
