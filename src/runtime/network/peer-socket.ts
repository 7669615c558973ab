/**
 * Sockets between the processes of a job, to listen on and to dial, with or without TLS. With it
 * both ends show a certificate that the job's own authority signed; the names in certificates are
 * not looked at, for who it is says the handshake.
 */
import { lstat, readFile, rm } from 'node:fs/promises'
import {
  connect as connectPlain,
  createServer as createPlainServer,
  type Server,
  type Socket,
} from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import type { Clock, TimerHandle } from '../../common/clock.ts'
import { messageOf } from '../../common/errors.ts'
import { networkErrors } from './network-errors.ts'
import { formatPeerAddress, type PeerAddress, parsePeerAddress } from './peer-address.ts'

/** PEM texts, or paths of files that hold them. */
export interface TlsSettings {
  readonly cert: string
  readonly key: string
  /** The authority that signed the certificates of all processes of the job. */
  readonly ca: string
}

const TLS_HANDSHAKE_TIMEOUT_MS = 10_000
/**
 * Nobody answers for the address of a pod that is gone, and the kernel asks for two minutes: long
 * after the name leads to another. It is asked at 0 s and at 1 s; a third time would be at 3 s.
 */
const CONNECT_TIMEOUT_MS = 2_000
const PEM = '-----BEGIN'

/** Reads what is given as paths. Rejects with WEIR_TLS_UNREADABLE. */
export async function loadTls(settings: TlsSettings): Promise<TlsSettings> {
  const load = async (name: keyof TlsSettings): Promise<string> => {
    const value = settings[name]
    if (value.includes(PEM)) return value
    try {
      return await readFile(value, 'utf8')
    } catch (error) {
      throw networkErrors.WEIR_TLS_UNREADABLE(
        { name, path: value, reason: messageOf(error) },
        error,
      )
    }
  }
  const [cert, key, ca] = await Promise.all([load('cert'), load('key'), load('ca')])
  return { cert, key, ca }
}

export interface PeerServerOptions {
  /** Loaded. */
  readonly tls?: TlsSettings | undefined
  accept(socket: Socket): void
  /** One that failed before it was accepted, or the server itself. */
  warn(error: unknown): void
}

/** A server that does not listen yet. */
export function makePeerServer(options: PeerServerOptions): Server {
  const { tls, accept } = options
  return tls === undefined ? createPlainServer({ noDelay: true }, accept) : createTls(tls, options)
}

export interface ListenOptions extends PeerServerOptions {
  readonly address: string
}

/** Rejects with WEIR_LISTEN_FAILED or WEIR_ADDRESS_INVALID. */
export async function listenForPeers(options: ListenOptions): Promise<Server> {
  const { address, warn } = options
  const at = parsePeerAddress(address)
  const server = makePeerServer(options)
  try {
    await listen(server, at)
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    const refuse = (cause: unknown): Error =>
      networkErrors.WEIR_LISTEN_FAILED({ address, reason: messageOf(cause) }, cause)
    if (!taken || at.kind !== 'unix' || !(await isLeftOver(at.path))) throw refuse(error)
    // A process that was killed left its socket behind.
    await rm(at.path, { force: true })
    await listen(server, at).catch((again: unknown) => {
      throw refuse(again)
    })
  }
  server.on('error', warn)
  return server
}

function listen(server: Server, at: PeerAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const done = (): void => {
      server.off('error', reject)
      resolve()
    }
    if (at.kind === 'unix') server.listen(at.path, done)
    else server.listen(at.port, at.host, done)
  })
}

/** A socket that nobody listens on. */
async function isLeftOver(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false
  return new Promise(resolve => {
    const socket = connectPlain({ path })
    socket.once('error', error => resolve((error as NodeJS.ErrnoException).code === 'ECONNREFUSED'))
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
  })
}

function createTls(tls: TlsSettings, { accept, warn }: PeerServerOptions): Server {
  const server = createTlsServer(
    {
      ...tls,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS,
    },
    accept,
  )
  return server.on('tlsClientError', warn)
}

export interface DialOptions {
  readonly address: string
  /** Loaded. */
  readonly tls?: TlsSettings | undefined
  /** How the other end is called in errors. */
  readonly peer: string
  readonly clock: Clock
  /** Called at once, so that it can be destroyed while it still connects. */
  made?(socket: Socket): void
}

/** Rejects with WEIR_PEER_UNREACHABLE or WEIR_ADDRESS_INVALID. */
export async function dialPeer({ address, tls, peer, clock, made }: DialOptions): Promise<Socket> {
  const at = parsePeerAddress(address)
  const place = at.kind === 'unix' ? { path: at.path } : { host: at.host, port: at.port }
  const socket = tls === undefined ? connectPlain(place) : dialTls(place, tls)
  made?.(socket)
  const stopWaiting = limitWait(socket, clock)
  try {
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: unknown): void => {
        const reason = error === undefined ? 'it was closed' : messageOf(error)
        reject(networkErrors.WEIR_PEER_UNREACHABLE({ peer, reason }, error))
      }
      const closed = (): void => refuse(undefined)
      socket.once('error', refuse)
      socket.once('close', closed)
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
        socket.off('error', refuse)
        socket.off('close', closed)
        resolve()
      })
    })
  } finally {
    stopWaiting()
  }
  return socket
}

/** Ends a socket that nobody answers. The time that a name takes is not counted. */
function limitWait(socket: Socket, clock: Clock): () => void {
  let timer: TimerHandle | undefined
  const begin = (limitMs: number, what: string): void => {
    timer?.cancel()
    timer = clock.schedule(limitMs, () => {
      socket.destroy(new Error(`${what} in ${limitMs / 1_000} s`))
    })
  }
  const attempted = (): void => begin(CONNECT_TIMEOUT_MS, 'nobody answered')
  const connected = (): void => begin(TLS_HANDSHAKE_TIMEOUT_MS, 'no handshake of TLS')
  socket.once('connectionAttempt', attempted).once('connect', connected)
  return () => {
    socket.off('connectionAttempt', attempted).off('connect', connected)
    timer?.cancel()
  }
}

type Place = { readonly path: string } | { readonly host: string; readonly port: number }

function dialTls(place: Place, tls: TlsSettings): Socket {
  const names = { checkServerIdentity: () => undefined }
  return connectTls({ ...place, ...tls, ...names, minVersion: 'TLSv1.3' })
}

/** What peers dial: `advertise`, with the port that was bound where it names none. */
export function advertisedAddress(server: Server, listen: string, advertise = listen): string {
  const wanted: PeerAddress = parsePeerAddress(advertise)
  const bound = server.address()
  if (wanted.kind === 'unix' || bound === null || typeof bound === 'string') return advertise
  return formatPeerAddress({ ...wanted, port: wanted.port === 0 ? bound.port : wanted.port })
}
