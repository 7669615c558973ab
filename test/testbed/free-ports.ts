import { createServer, type Server } from 'node:net'

/** Free ports of the loopback; all are held together, so that no two are the same. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listen))
  const ports = servers.map(server => (server.address() as { readonly port: number }).port)
  await Promise.all(
    servers.map(server => new Promise<void>(resolve => server.close(() => resolve()))),
  )
  return ports
}

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject).listen(0, '127.0.0.1', () => resolve(server))
  })
}
