import { connect } from 'node:net'

/** Metadata v1 for no topic, with the correlation id 1 and the client id "rt". */
const metadataRequest = Buffer.from('00000010000300010000000100027274' + '00000000', 'hex')
const LIMIT_MS = 2_000

/**
 * Whether the broker at this port lists a broker. The port accepts before that, and a client that
 * comes too early finds an empty cluster.
 */
export function listsBroker(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    let answer = Buffer.alloc(0)
    const done = (result: boolean): void => {
      socket.destroy()
      resolve(result)
    }
    socket.setTimeout(LIMIT_MS, () => done(false))
    socket.on('error', () => done(false)).on('close', () => done(false))
    socket.on('connect', () => socket.write(metadataRequest))
    socket.on('data', piece => {
      answer = Buffer.concat([answer, piece])
      // Length, correlation id, number of brokers.
      if (answer.length >= 12) done(answer.readInt32BE(8) > 0)
    })
  })
}
