/**
 * Logs: a constant message, values as fields, one line per change of state and none per record.
 * The home of pino: the rest of Weir knows only {@link Logger}.
 */
import { type Logger as Pino, pino } from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Fields first, then the constant message. An `err` field carries an error with its stack. */
type Log = (fields: Readonly<Record<string, unknown>>, message: string) => void

export interface Logger {
  readonly debug: Log
  readonly info: Log
  readonly warn: Log
  readonly error: Log
  /** The same log with these fields on every line. */
  child(fields: Readonly<Record<string, unknown>>): Logger
}

export interface LoggerOptions {
  readonly level: LogLevel
  /** Takes one whole line of JSON, with its line feed. */
  readonly write: (line: string) => void
}

export function makeLogger(options: LoggerOptions): Logger {
  const inner = pino(
    {
      level: options.level,
      base: null,
      formatters: { level: label => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    { write: options.write },
  )
  return adapt(inner)
}

/** Says nothing: for tests, and where nobody listens. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
}

function adapt(inner: Pick<Pino, Exclude<keyof Logger, number>>): Logger {
  return {
    debug: (fields, message) => inner.debug(fields, message),
    info: (fields, message) => inner.info(fields, message),
    warn: (fields, message) => inner.warn(fields, message),
    error: (fields, message) => inner.error(fields, message),
    child: fields => adapt(inner.child(fields)),
  }
}
