import { connect, createServer, type Server, type Socket } from 'node:net'

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
  const open = new Set<Socket>()
  const server: Server = createServer(pod => {
    const there = connect(Number(target.port), target.hostname)
    pod.pipe(there).pipe(pod)
    for (const end of [pod, there]) {
      open.add(end)
      end.on('error', () => {})
      end.on('close', () => {
        open.delete(end)
        pod.destroy()
        there.destroy()
      })
    }
  })
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  const { port } = server.address() as { readonly port: number }
  return {
    url: `${target.protocol}//${host}:${port}`,
    close: () => {
      server.close()
      for (const end of open) end.destroy()
    },
  }
}
