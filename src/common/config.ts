/**
 * What the environment says, read once at a door (`bin/`) and passed on as a value.
 */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { defineErrors } from './errors.ts'
import type { LogLevel } from './logger.ts'

export const configErrors = defineErrors({
  WEIR_CONFIG_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { name: string; value: string; expected: string }) =>
      `environment variable ${e.name} is ${JSON.stringify(e.value)}, expected ${e.expected}`,
    next: 'correct the variable, or unset it to take the default',
  },
})

export interface Config {
  /** Holds bundled jobs and what can be made again. `XDG_CACHE_HOME/weir`, or `~/.cache/weir`. */
  readonly cacheFolder: string
  /** `WEIR_CONFIG_MAPS`: folder of the ConfigMaps that jobs may come from, as NAME/KEY. */
  readonly configMapsFolder: string | undefined
  /** `WEIR_LOG`: debug, info, warn (the default), error or silent. */
  readonly logLevel: LogLevel
  /** Off when `NO_COLOR` is set to anything. */
  readonly color: boolean
}

const logLevels: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent']

/** Throws WEIR_CONFIG_INVALID. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const logLevel = environment.WEIR_LOG ?? 'warn'
  if (!logLevels.includes(logLevel)) {
    throw configErrors.WEIR_CONFIG_INVALID({
      name: 'WEIR_LOG',
      value: logLevel,
      expected: `one of ${logLevels.join(', ')}`,
    })
  }
  return {
    cacheFolder: join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'weir'),
    configMapsFolder: environment.WEIR_CONFIG_MAPS || undefined,
    logLevel: logLevel as LogLevel,
    color: (environment.NO_COLOR ?? '') === '',
  }
}
