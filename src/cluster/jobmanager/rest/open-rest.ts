/**
 * Opens the REST API of a jobmanager process: for people on the loopback, for the controller where
 * it is told to. That one of them cannot be opened fails no job.
 */
import { messageOf } from '../../../common/errors.ts'
import { SystemRandom } from '../../../common/random.ts'
import type { JobDescription } from '../../../protocol/job-description.ts'
import { linkKey } from '../../../protocol/job-keys.ts'
import { parsePeerAddress } from '../../../runtime/network/peer-address.ts'
import type { JobNotice } from '../../job-result.ts'
import type { JobManagerConfig } from '../../process-config.ts'
import type { RestResources } from './rest-routes.ts'
import { RestServer } from './rest-server.ts'
import { serveJob } from './serve-job.ts'

export interface OpenRestOptions {
  readonly resources: RestResources
  readonly config: Pick<JobManagerConfig, 'restListen' | 'secret'>
  readonly rest: JobDescription['rest']
  readonly onNotice: (notice: JobNotice) => void
}

interface Closable {
  readonly url: string
  close(): Promise<void>
}

/** Gives the way to close it, which waits for what was ordered. */
export function openRest(options: OpenRestOptions): () => Promise<void> {
  const { resources, config, rest } = options
  const opening: Promise<Closable | undefined>[] = []
  if (rest !== null) {
    const { folder: cwd, port } = rest
    const served = serveJob({ resources, cwd, port, random: new SystemRandom() })
    opening.push(announced(served, 'weir status, savepoint, stop', options))
  }
  if (config.restListen !== undefined) {
    const served = serveLink(resources, { ...config, restListen: config.restListen })
    opening.push(announced(served, 'for the controller', options))
  }
  return async () => {
    const servers = await Promise.all(opening)
    await Promise.all(servers.map(async server => server?.close()))
  }
}

async function serveLink(
  resources: RestResources,
  { restListen, secret }: { readonly restListen: string; readonly secret: Buffer },
): Promise<RestServer> {
  const address = parsePeerAddress(restListen)
  if (address.kind !== 'tcp') throw new Error(`${restListen} is no tcp://host:port`)
  const { host, port } = address
  const access = { kind: 'link', key: linkKey(secret.toString()), host, port } as const
  return RestServer.listen({ resources, access })
}

async function announced(
  serving: Promise<Closable>,
  purpose: string,
  { onNotice }: OpenRestOptions,
): Promise<Closable | undefined> {
  try {
    const served = await serving
    onNotice({ level: 'info', text: `REST API at ${served.url}: ${purpose}` })
    return served
  } catch (error) {
    const text = `the job cannot be steered: no REST API: ${messageOf(error)}`
    onNotice({ level: 'warn', text })
    return undefined
  }
}
