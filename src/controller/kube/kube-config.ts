/**
 * Where the API server is, and who the controller is there: from a kubeconfig, or from what a pod
 * finds. Of a kubeconfig only tokens and client certificates are taken; a plugin that logs a person
 * in has no place in a controller.
 */
import { parse } from 'yaml'
import { z } from 'zod'
import { messageOf } from '../../common/errors.ts'
import { kubeErrors } from './kube-errors.ts'

export interface KubeConfig {
  /** Scheme, host and port. */
  readonly server: string
  readonly certificateAuthority: string | undefined
  readonly clientCertificate: string | undefined
  readonly clientKey: string | undefined
  readonly token: string | undefined
  /** Is read again before the token in it expires. */
  readonly tokenFile: string | undefined
}

export interface ConfigHost {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Throws when there is no such file. */
  readonly readFile: (path: string) => string
}

const POD_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

const optionalText = z.string().min(1).optional()

const kubeconfigSchema = z.looseObject({
  'current-context': z.string().min(1),
  contexts: z.array(
    z.looseObject({
      name: z.string(),
      context: z.looseObject({ cluster: z.string(), user: z.string() }),
    }),
  ),
  clusters: z.array(
    z.looseObject({
      name: z.string(),
      cluster: z.looseObject({
        server: z.url(),
        'certificate-authority-data': optionalText,
        'certificate-authority': optionalText,
      }),
    }),
  ),
  users: z.array(
    z.looseObject({
      name: z.string(),
      user: z.looseObject({
        token: optionalText,
        tokenFile: optionalText,
        'client-certificate-data': optionalText,
        'client-certificate': optionalText,
        'client-key-data': optionalText,
        'client-key': optionalText,
      }),
    }),
  ),
})

/** It runs in the cluster that it serves. */
export function isOfPod({ environment }: ConfigHost): boolean {
  return (environment.KUBECONFIG ?? '') === ''
}

/** `KUBECONFIG` first, then the pod's own account. Throws WEIR_KUBE_CONFIG. */
export function readKubeConfig(host: ConfigHost): KubeConfig {
  const { KUBECONFIG: path = '' } = host.environment
  return isOfPod(host) ? ofPod(host) : ofFile(host, path)
}

function ofPod({ environment, readFile }: ConfigHost): KubeConfig {
  const { KUBERNETES_SERVICE_HOST: name, KUBERNETES_SERVICE_PORT: port = '443' } = environment
  if (name === undefined) {
    const problem = 'KUBECONFIG is not set and this is no pod'
    throw kubeErrors.WEIR_KUBE_CONFIG({ source: 'the environment', problem })
  }
  const host = name.includes(':') ? `[${name}]` : name
  return {
    server: `https://${host}:${port}`,
    certificateAuthority: contentOf(readFile, `${POD_FOLDER}/ca.crt`),
    clientCertificate: undefined,
    clientKey: undefined,
    token: undefined,
    tokenFile: `${POD_FOLDER}/token`,
  }
}

function ofFile({ readFile }: ConfigHost, path: string): KubeConfig {
  const refuse = (problem: string): Error => kubeErrors.WEIR_KUBE_CONFIG({ source: path, problem })
  const read = kubeconfigSchema.safeParse(yamlOf(contentOf(readFile, path), refuse))
  if (!read.success) throw refuse(firstIssue(read.error))
  const file = read.data
  const current = file['current-context']
  const context = named(file.contexts, current)?.context
  if (context === undefined) throw refuse(`it has no context ${current}`)
  const cluster = named(file.clusters, context.cluster)?.cluster
  const user = named(file.users, context.user)?.user
  if (cluster === undefined) throw refuse(`it has no cluster ${context.cluster}`)
  if (user === undefined) throw refuse(`it has no user ${context.user}`)
  const textOf = (data: string | undefined, from: string | undefined): string | undefined => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString()
    return from === undefined ? undefined : contentOf(readFile, from)
  }
  const config: KubeConfig = {
    server: new URL(cluster.server).origin,
    certificateAuthority: textOf(
      cluster['certificate-authority-data'],
      cluster['certificate-authority'],
    ),
    clientCertificate: textOf(user['client-certificate-data'], user['client-certificate']),
    clientKey: textOf(user['client-key-data'], user['client-key']),
    token: user.token,
    tokenFile: user.tokenFile,
  }
  const isKnown = config.clientKey !== undefined || config.token !== undefined
  if (isKnown || config.tokenFile !== undefined) return config
  throw refuse(`the user ${context.user} has neither a token nor a client certificate`)
}

function named<T extends { readonly name: string }>(list: readonly T[], name: string) {
  return list.find(one => one.name === name)
}

function contentOf(readFile: (path: string) => string, path: string): string {
  try {
    return readFile(path)
  } catch (error) {
    throw kubeErrors.WEIR_KUBE_CONFIG({ source: path, problem: messageOf(error) }, error)
  }
}

function yamlOf(text: string, refuse: (problem: string) => Error): unknown {
  try {
    return parse(text) as unknown
  } catch {
    // The parser's message would show lines, and so secrets.
    throw refuse('it is not YAML')
  }
}

function firstIssue({ issues }: z.ZodError): string {
  const [issue] = issues
  return `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is wrong'}`
}
