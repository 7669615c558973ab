/**
 * Sockets between the processes of a job: plain ones, or TLS where the job has certificates. Which
 * process is at the other end, the handshake tells.
 */
import {
  connect as connectPlain,
  createServer as createPlainServer,
  type Server,
  type Socket,
} from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { messageOf } from '../../common/errors.ts'
import { networkErrors } from './network-errors.ts'
import { parsePeerAddress } from './peer-address.ts'

/** PEM texts. Both ends show a certificate that `ca` signed. */
export interface TlsSettings {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

export interface DialPeerOptions {
  readonly address: string
  /** How the other end is called in errors. */
  readonly peer: string
  readonly tls: TlsSettings | undefined
}

/** Rejects with WEIR_PEER_UNREACHABLE or WEIR_ADDRESS_INVALID. */
export async function dialPeer({ address, peer, tls }: DialPeerOptions): Promise<Socket> {
  const at = parsePeerAddress(address)
  const place = at.kind === 'unix' ? { path: at.path } : { host: at.host, port: at.port }
  const socket =
    tls === undefined
      ? connectPlain(place)
      : // The certificate is this job's own: its name says nothing.
        connectTls({
          ...place,
          ...tls,
          minVersion: 'TLSv1.3',
          checkServerIdentity: () => undefined,
        })
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => {
      const reason = messageOf(error)
      reject(networkErrors.WEIR_PEER_UNREACHABLE({ peer, reason }, error))
    }
    socket.once('error', refuse)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      socket.off('error', refuse)
      resolve(socket)
    })
  })
}

export function makePeerServer(
  tls: TlsSettings | undefined,
  accept: (socket: Socket) => void,
): Server {
  if (tls === undefined) return createPlainServer({ noDelay: true }, accept)
  const options = { ...tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' }
  return createTlsServer(options as Parameters<typeof createTlsServer>[0] & object, accept)
}
