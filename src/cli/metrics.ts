/** `weir metrics`: the figures of a running job as Prometheus reads them. */
import { type CliIo, exitCodes } from './cli-io.ts'
import { getText } from './rest-client.ts'
import { findRunningJob } from './running-jobs.ts'
import { type SteerOptions, writeJson } from './steer-options.ts'

export async function metrics({ job, json }: SteerOptions, io: CliIo): Promise<number> {
  const text = await getText(findRunningJob(job, io), '/metrics')
  if (json) writeJson(samplesOf(text), io)
  else io.out.write(text)
  return exitCodes.ok
}

/** Name with labels -> value; as a text where JSON has no such number. */
function samplesOf(text: string): Readonly<Record<string, number | string>> {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  const samples = lines.map(line => {
    const space = line.lastIndexOf(' ')
    const value = Number(line.slice(space + 1))
    return [line.slice(0, space), Number.isFinite(value) ? value : line.slice(space + 1)] as const
  })
  return Object.fromEntries(samples)
}
