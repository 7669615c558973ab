import type { CliIo } from './cli-io.ts'

/** What the verbs on a running job take. */
export interface SteerOptions {
  /** Name or id; left out where only one runs. */
  readonly job?: string | undefined
  readonly json?: boolean
}

export function writeJson(value: unknown, io: CliIo): void {
  io.out.write(`${JSON.stringify(value, undefined, 2)}\n`)
}
