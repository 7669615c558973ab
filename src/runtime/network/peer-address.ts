import { networkErrors } from './network-errors.ts'

/** Where a process listens or is dialed. */
export type PeerAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/** The kernel's limit of 108 bytes, with the zero at the end. */
const UNIX_PATH_BYTES_MAX = 107

/** Reads `unix:/path` or `tcp://host:port`; throws WEIR_ADDRESS_INVALID. */
export function parsePeerAddress(address: string): PeerAddress {
  const refuse = (reason: string): Error => networkErrors.WEIR_ADDRESS_INVALID({ address, reason })
  if (address.startsWith('unix:')) {
    const path = address.slice('unix:'.length)
    if (path === '') throw refuse('the path is missing')
    const size = Buffer.byteLength(path)
    if (size > UNIX_PATH_BYTES_MAX) {
      throw refuse(`a path of ${size} bytes, at most ${UNIX_PATH_BYTES_MAX} can be used`)
    }
    return { kind: 'unix', path }
  }
  const match = /^tcp:\/\/(\[[^\]]+\]|[^:/\s]+):(\d{1,5})$/.exec(address)
  if (match === null) throw refuse('neither unix:/path nor tcp://host:port')
  const port = Number(match[2])
  if (port > 65_535) throw refuse(`there is no port ${port}`)
  return { kind: 'tcp', host: (match[1] as string).replace(/^\[|\]$/g, ''), port }
}

export function formatPeerAddress(address: PeerAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `tcp://${host}:${address.port}`
}
