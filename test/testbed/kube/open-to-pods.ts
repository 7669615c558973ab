import { connect, createServer, type Server } from 'node:net'

export interface OpenedPort {
  /** As pods reach it. */
  readonly url: string
  close(): void
}

/**
 * Lets the pods of a real node reach a server on the machine's loopback. `host` is what the testbed
 * calls `WEIR_TESTBED_KUBE_HOST`.
 */
export async function openToPods(endpoint: string, host: string): Promise<OpenedPort> {
  const target = new URL(endpoint)
  const server: Server = createServer(pod => {
    const there = connect(Number(target.port), target.hostname)
    pod.pipe(there).pipe(pod)
    for (const end of [pod, there]) {
      end.on('error', () => {
        pod.destroy()
        there.destroy()
      })
    }
  })
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  const { port } = server.address() as { readonly port: number }
  return { url: `${target.protocol}//${host}:${port}`, close: () => void server.close() }
}
