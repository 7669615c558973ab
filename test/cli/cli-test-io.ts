/** The world of a verb under test: texts instead of terminals, a cache folder of its own. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CliIo, StopSignal } from '../../src/cli/cli-io.ts'
import { type Clock, SystemClock } from '../../src/common/clock.ts'

export interface CliTestIo extends CliIo {
  /** What was written so far. */
  readonly written: { out: string; err: string }
  /** As if the user pressed Ctrl-C, or the machine stopped. */
  signal(signal: StopSignal): void
}

export interface CliTestIoOptions {
  readonly cwd?: string
  readonly isTty?: boolean
  readonly clock?: Clock
}

export class ExitedNow extends Error {}

export function cliTestIo(options: CliTestIoOptions = {}): CliTestIo {
  const written = { out: '', err: '' }
  const handlers = new Set<(signal: StopSignal) => void>()
  const folder = mkdtempSync(join(tmpdir(), 'weir-cli-'))
  const terminal = (name: 'out' | 'err') => ({
    write(text: string) {
      written[name] += text
    },
    isTty: options.isTty ?? false,
    columns: 80,
  })
  return {
    written,
    out: terminal('out'),
    err: terminal('err'),
    cwd: options.cwd ?? folder,
    config: {
      cacheFolder: join(folder, 'cache'),
      configMapsFolder: undefined,
      logLevel: 'silent',
      color: false,
    },
    environment: process.env,
    clock: options.clock ?? new SystemClock(),
    nodePath: process.execPath,
    onStop(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    exitNow(code) {
      throw new ExitedNow(String(code))
    },
    signal(signal) {
      for (const handler of handlers) handler(signal)
    },
  }
}
