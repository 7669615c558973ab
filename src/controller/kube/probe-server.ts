/** What Kubernetes and Prometheus ask of the controller: does it live, is it ready, its figures. */
import { createServer } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'

export interface ProbeServerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Not: it is started again. */
  readonly isAlive: () => boolean
  /** `undefined`: its caches are full, it could lead at once. */
  readonly hindrance: () => string | undefined
  readonly metrics: () => Promise<string>
}

export interface ProbeServer {
  readonly url: string
  close(): Promise<void>
}

export async function startProbeServer(options: ProbeServerOptions): Promise<ProbeServer> {
  const { host, port, isAlive, hindrance, metrics } = options
  const server = createServer((request, answer) => {
    const say = (problem: string | undefined): void => {
      answer.writeHead(problem === undefined ? 200 : 503, { 'content-type': 'text/plain' })
      answer.end(`${problem ?? 'ok'}\n`)
    }
    if (request.url === '/healthz') return say(isAlive() ? undefined : 'a pass does not end')
    if (request.url === '/readyz') return say(hindrance())
    if (request.url !== '/metrics') return void answer.writeHead(404).end()
    metrics().then(
      text => {
        answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
        answer.end(text)
      },
      () => answer.writeHead(500).end(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${bound}`,
    close: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}
