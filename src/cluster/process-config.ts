/** What the environment tells a jobmanager or a taskmanager. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { configErrors } from '../common/config.ts'
import { parseDuration } from '../common/duration.ts'
import { messageOf } from '../common/errors.ts'
import type { TlsSettings } from '../runtime/network/peer-socket.ts'
import type { HeartbeatTimes } from './control/heartbeat-watch.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface JobManagerConfig {
  /** `WEIR_JOB_FILE`: see `protocol/job-description.ts`. */
  readonly jobFile: string
  /** `WEIR_SECRET_FILE`: known to all processes of the job, and to nobody else. */
  readonly secret: Buffer
  /** `WEIR_TLS_FOLDER`: holds `tls.crt`, `tls.key`, `ca.crt`; without it nothing is encrypted. */
  readonly tls: TlsSettings | undefined
  /** `WEIR_LISTEN`: where taskmanagers dial. Default `tcp://0.0.0.0:6123`. */
  readonly listen: string
  /** `WEIR_REST_LISTEN`: where the REST API is for who can derive its key; unset: nowhere. */
  readonly restListen: string | undefined
  /** `WEIR_LAST_WORD_FILE`: gets the job's last facts when this process ends well. */
  readonly lastWordFile: string | undefined
  /** `WEIR_HEARTBEAT_INTERVAL` (500ms) and `WEIR_HEARTBEAT_TIMEOUT` (2s). */
  readonly times: HeartbeatTimes
  /** `WEIR_SLOT_TIMEOUT` (5m): so long an attempt waits for its slots. */
  readonly slotTimeoutMs: number
}

export interface TaskManagerConfig {
  /** `WEIR_JOB_ID`: as the jobmanager names it, `<namespace>.<name>`. */
  readonly jobId: string
  /** `WEIR_SLOT`: from 0. */
  readonly slot: number
  /** `WEIR_JOBMANAGER`: its address. */
  readonly jobManager: string
  readonly secret: Buffer
  readonly tls: TlsSettings | undefined
  /** `WEIR_LISTEN`: where other slots dial. Default `tcp://0.0.0.0:0`. */
  readonly listen: string
  /** `WEIR_ADVERTISE`: how they reach it, where that is another address. */
  readonly advertise: string | undefined
  /** `WEIR_WORK_FOLDER`: for the job's code. */
  readonly workFolder: string
  /** `WEIR_STATE_FOLDER`: copies of state for a fast restore; without it there are none. */
  readonly stateFolder: string | undefined
  readonly times: HeartbeatTimes
}

/** Throws WEIR_CONFIG_INVALID. */
export function readJobManagerConfig(environment: Environment): JobManagerConfig {
  return {
    jobFile: required(environment, 'WEIR_JOB_FILE', 'the path of a job description'),
    secret: readSecret(environment),
    tls: readTls(environment),
    listen: environment.WEIR_LISTEN ?? 'tcp://0.0.0.0:6123',
    restListen: environment.WEIR_REST_LISTEN || undefined,
    lastWordFile: environment.WEIR_LAST_WORD_FILE || undefined,
    times: readTimes(environment),
    slotTimeoutMs: readMs(environment, 'WEIR_SLOT_TIMEOUT', 300_000),
  }
}

/** Throws WEIR_CONFIG_INVALID. */
export function readTaskManagerConfig(environment: Environment): TaskManagerConfig {
  const slot = required(environment, 'WEIR_SLOT', 'a whole number from 0')
  if (!/^\d{1,5}$/.test(slot)) throw invalid('WEIR_SLOT', slot, 'a whole number from 0')
  return {
    jobId: required(environment, 'WEIR_JOB_ID', 'namespace.name of the job'),
    slot: Number(slot),
    jobManager: required(environment, 'WEIR_JOBMANAGER', 'the address of the jobmanager'),
    secret: readSecret(environment),
    tls: readTls(environment),
    listen: environment.WEIR_LISTEN ?? 'tcp://0.0.0.0:0',
    advertise: environment.WEIR_ADVERTISE,
    workFolder: required(environment, 'WEIR_WORK_FOLDER', 'a folder'),
    stateFolder: environment.WEIR_STATE_FOLDER || undefined,
    times: readTimes(environment),
  }
}

function readTimes(environment: Environment): HeartbeatTimes {
  return {
    intervalMs: readMs(environment, 'WEIR_HEARTBEAT_INTERVAL', 500),
    timeoutMs: readMs(environment, 'WEIR_HEARTBEAT_TIMEOUT', 2_000),
  }
}

function readMs(environment: Environment, name: string, otherwise: number): number {
  const value = environment[name]
  if (value === undefined) return otherwise
  const ms = parseDuration(value)
  if (ms === undefined || ms === 0) throw invalid(name, value, 'a duration such as 500ms or 2s')
  return ms
}

/** The file's text without blanks around it: an editor adds a line feed. */
function readSecret(environment: Environment): Buffer {
  const name = 'WEIR_SECRET_FILE'
  const file = required(environment, name, 'a file with 16 characters or more')
  try {
    const secret = Buffer.from(readFileSync(file, 'utf8').trim())
    if (secret.length >= 16) return secret
  } catch (error) {
    throw invalid(name, file, `a file that can be read: ${messageOf(error)}`)
  }
  throw invalid(name, file, 'a file with 16 characters or more')
}

function readTls(environment: Environment): TlsSettings | undefined {
  const name = 'WEIR_TLS_FOLDER'
  const folder = environment[name]
  if (folder === undefined) return undefined
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
  try {
    return { cert: read('tls.crt'), key: read('tls.key'), ca: read('ca.crt') }
  } catch (error) {
    throw invalid(name, folder, `a folder with tls.crt, tls.key and ca.crt: ${messageOf(error)}`)
  }
}

function required(environment: Environment, name: string, expected: string): string {
  const value = environment[name] ?? ''
  if (value === '') throw invalid(name, value, expected)
  return value
}

function invalid(name: string, value: string, expected: string): Error {
  return configErrors.WEIR_CONFIG_INVALID({ name, value, expected })
}
