/**
 * How the controller and a jobmanager encrypt what they say: TLS 1.2 with a key that both know
 * (Node offers such keys for that version only). No certificate is needed, so none can expire.
 */
import type { TlsOptions } from 'node:tls'

export const linkTls = {
  /** A recording cannot be read later by who learns the key: each connection agrees on another. */
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const satisfies TlsOptions

/** What the controller calls itself to a jobmanager. */
export const LINK_IDENTITY = 'weir-controller'

export const LINK_PORT = 6_125
