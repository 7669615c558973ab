import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { kafkaErrors } from './kafka-errors.ts'

/** How to reach a cluster; the same for sources and sinks. */
export interface KafkaConnectionOptions {
  /** `host:port`, several with commas between or as a list: any of them leads to the rest. */
  readonly brokers: string | readonly string[]
  /** `true`, or what Node's TLS takes: `ca`, `cert`, `key`, `servername`. Default: no TLS. */
  readonly tls?: boolean | TlsOptions
  readonly sasl?: KafkaSasl
  /** How the brokers' logs name this client; default `weir`. */
  readonly clientId?: string
}

/** How a client says who it is. */
export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | { readonly mechanism: 'oauthbearer'; readonly token: () => string | Promise<string> }

export interface Bootstrap {
  readonly host: string
  readonly port: number
}

/** The addresses to begin with. Throws WEIR_KAFKA_OPTION_INVALID. */
export function bootstrapOf({ brokers }: KafkaConnectionOptions): readonly Bootstrap[] {
  const given = typeof brokers === 'string' ? brokers.split(',') : brokers
  const addresses = given.map(text => text.trim()).filter(text => text !== '')
  if (addresses.length === 0) {
    throw kafkaErrors.WEIR_KAFKA_OPTION_INVALID({
      option: 'brokers',
      value: JSON.stringify(brokers),
      expected: 'host:port, several with commas between',
    })
  }
  return addresses.map(text => {
    const [, host = '', port = ''] = /^\[?(.+?)\]?:(\d+)$/.exec(text) ?? []
    if (host !== '') return { host, port: Number(port) }
    throw kafkaErrors.WEIR_KAFKA_OPTION_INVALID({
      option: 'brokers',
      value: JSON.stringify(text),
      expected: 'host:port',
    })
  })
}
