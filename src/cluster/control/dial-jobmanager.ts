/** From an address to a connection on which both ends have proved who they are. */
import { connect, type Socket } from 'node:net'
import type { Clock } from '../../common/clock.ts'
import { messageOf } from '../../common/errors.ts'
import type { Random } from '../../common/random.ts'
import { shakeHands } from '../../runtime/network/handshake.ts'
import { networkErrors } from '../../runtime/network/network-errors.ts'
import { parsePeerAddress } from '../../runtime/network/peer-address.ts'
import { HANDSHAKE_TIMEOUT_MS, jobManagerRole, taskManagerRole } from './roles.ts'

export interface DialOptions {
  readonly address: string
  readonly jobId: string
  readonly secret: Buffer
  readonly version: string
  readonly slot: number
  readonly clock: Clock
  readonly random: Random
}

/** Rejects with WEIR_PEER_UNREACHABLE, or what the handshake failed with. */
export async function dialJobManager(options: DialOptions): Promise<Socket> {
  const { address, jobId, secret, version, slot, clock, random } = options
  const peer = `the jobmanager at ${address}`
  const socket = await open(address, peer)
  await shakeHands({
    stream: socket,
    side: 'dialer',
    secret,
    own: { role: taskManagerRole, jobId, version, facts: { slot } },
    peerRole: jobManagerRole,
    peer,
    admit: () => undefined,
    timeoutMs: HANDSHAKE_TIMEOUT_MS,
    verdictTimeoutMs: HANDSHAKE_TIMEOUT_MS,
    clock,
    random,
  })
  return socket
}

function open(address: string, peer: string): Promise<Socket> {
  const target = parsePeerAddress(address)
  const socket = target.kind === 'unix' ? connect(target.path) : connect(target.port, target.host)
  return new Promise((resolve, reject) => {
    socket.once('error', error => {
      reject(networkErrors.WEIR_PEER_UNREACHABLE({ peer, reason: messageOf(error) }, error))
    })
    socket.once('connect', () => resolve(socket))
  })
}
