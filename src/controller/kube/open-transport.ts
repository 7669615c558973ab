/** Makes the transport to the API server that a configuration leads to. */
import { readFile } from 'node:fs/promises'
import { type Dispatcher, Pool } from 'undici'
import type { Clock } from '../../common/clock.ts'
import type { KubeConfig } from './kube-config.ts'
import { KubeTransport, type RequestFigures, type TokenSource } from './kube-transport.ts'
import { TokenBucket } from './token-bucket.ts'

/** Thirteen writes a job and a thousand jobs a minute are 217 a second. */
const RATE = { perSecond: 400, burst: 800 }
const DEADLINE_MS = 5_000
/** Kubernetes renews a pod's token long before it ends. */
const TOKEN_AGE_MAX_MS = 60_000

export interface OpenOptions {
  readonly config: KubeConfig
  readonly clock: Clock
  readonly observe: (figures: RequestFigures) => void
}

export interface OpenTransport {
  readonly transport: KubeTransport
  readonly dispatcher: Dispatcher
}

export function openTransport({ config, clock, observe }: OpenOptions): OpenTransport {
  const dispatcher = new Pool(config.server, {
    connect: {
      ca: config.certificateAuthority,
      cert: config.clientCertificate,
      key: config.clientKey,
      timeout: DEADLINE_MS,
    },
    keepAliveTimeout: 30_000,
  })
  const transport = new KubeTransport({
    server: config.server,
    dispatcher,
    token: tokenSource(config, clock),
    clock,
    bucket: new TokenBucket(RATE, clock),
    deadlineMs: DEADLINE_MS,
    observe,
  })
  return { transport, dispatcher }
}

/** Reads the file at most once a minute, and at once when the server refuses the token. */
export function tokenSource(config: KubeConfig, clock: Clock): TokenSource | undefined {
  const { token, tokenFile } = config
  if (tokenFile === undefined) return token === undefined ? undefined : async () => token
  let held: { readonly text: string; readonly readMs: number } | undefined
  return async isRefused => {
    const isOld = held === undefined || clock.monotonic() - held.readMs > TOKEN_AGE_MAX_MS
    if (isOld || isRefused) {
      held = { text: (await readFile(tokenFile, 'utf8')).trim(), readMs: clock.monotonic() }
    }
    return held?.text ?? ''
  }
}
