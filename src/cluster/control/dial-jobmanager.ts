/** From an address to a connection on which both ends have proved who they are. */
import type { Socket } from 'node:net'
import type { Clock } from '../../common/clock.ts'
import type { Random } from '../../common/random.ts'
import { shakeHands } from '../../runtime/network/handshake.ts'
import { dialPeer, type TlsSettings } from '../../runtime/network/peer-socket.ts'
import { HANDSHAKE_TIMEOUT_MS, jobManagerRole, taskManagerRole } from './roles.ts'

export interface DialOptions {
  readonly address: string
  readonly jobId: string
  readonly secret: Buffer
  readonly tls: TlsSettings | undefined
  readonly version: string
  readonly slot: number
  readonly clock: Clock
  readonly random: Random
}

/** Rejects with WEIR_PEER_UNREACHABLE, or what the handshake failed with. */
export async function dialJobManager(options: DialOptions): Promise<Socket> {
  const { address, jobId, secret, tls, version, slot, clock, random } = options
  const peer = `the jobmanager at ${address}`
  const socket = await dialPeer({ address, peer, tls, clock })
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
