/** Calls of the API server with the rights of the administrator, as a kubeconfig file has them. */
import { readFileSync } from 'node:fs'
import { request } from 'node:https'

export interface KubeAnswer {
  readonly status: number
  readonly text: string
}

export interface KubeCall {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly contentType?: string
}

/** An object of the API; most kinds have more than this. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly [key: string]: unknown
  }
  readonly [key: string]: unknown
}

const LIMIT_MS = 10_000

export function kubeRequest(kubeconfig: string, call: KubeCall): Promise<KubeAnswer> {
  const { server, ...identity } = readKubeconfig(kubeconfig)
  const { method = 'GET', path, body, contentType = 'application/json' } = call
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, server),
      { ...identity, method, headers: { 'content-type': contentType }, timeout: LIMIT_MS },
      answer => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (part: string) => {
          text += part
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
        answer.on('error', reject)
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${path}: no answer`)))
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

interface Identity {
  readonly server: string
  readonly ca: Buffer
  readonly cert: Buffer
  readonly key: Buffer
}

/** The testbed's own files are JSON with everything inside. */
function readKubeconfig(file: string): Identity {
  const { clusters, users } = JSON.parse(readFileSync(file, 'utf8'))
  const { cluster } = clusters[0]
  const { user } = users[0]
  const bytes = (data: string): Buffer => Buffer.from(data, 'base64')
  return {
    server: cluster.server,
    ca: bytes(cluster['certificate-authority-data']),
    cert: bytes(user['client-certificate-data']),
    key: bytes(user['client-key-data']),
  }
}
