/** A broker of long ago, as far as a client gets to know it: it tells which requests it serves. */
import { createServer, type Server, type Socket } from 'node:net'

/** Metadata, FindCoordinator, ApiVersions, in the versions of Kafka 0.10. */
const served = [
  [3, 0, 1],
  [10, 0, 0],
  [18, 0, 0],
] as const

export async function startOldBroker(): Promise<{ address: string; close: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', request => {
      const answer = Buffer.alloc(8 + 2 + 4 + served.length * 6)
      let at = answer.writeInt32BE(answer.length - 4, 0)
      at = answer.writeInt32BE(request.readInt32BE(8), at)
      at = answer.writeInt16BE(0, at)
      at = answer.writeInt32BE(served.length, at)
      for (const number of served.flat()) at = answer.writeInt16BE(number, at)
      socket.write(answer)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  return {
    address: `127.0.0.1:${port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
