/** The certificates of one cluster and the kubeconfig files made of them. All are new with its data. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from '../run-tool.ts'
import { addressIn, endpointOf, type KubePlan } from './kube-plan.ts'

const DAYS = '3650'

/** Who speaks to the API server, with the names that Kubernetes' own roles are bound to. */
const clients: Readonly<Record<string, string>> = {
  admin: '/O=system:masters/CN=admin',
  'controller-manager': '/CN=system:kube-controller-manager',
  scheduler: '/CN=system:kube-scheduler',
  kubelet: '/O=system:nodes/CN=system:node:weir-node',
  proxy: '/CN=system:kube-proxy',
}

const clientsOf: Readonly<Record<KubePlan['form'], readonly string[]>> = {
  control: ['admin'],
  fake: ['admin', 'controller-manager', 'scheduler'],
  node: ['admin', 'controller-manager', 'scheduler', 'kubelet', 'proxy'],
}

/** Makes what is not there yet; a cluster that is started again keeps its own. */
export async function makeCertificates(plan: KubePlan): Promise<void> {
  const file = (name: string): string => join(plan.folder, 'pki', name)
  if (existsSync(file('done'))) return
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const make = (name: string, subject: string, more: readonly string[]): Promise<string> =>
    openssl(
      ['req', '-x509', ...key, '-days', DAYS, '-subj', subject, ...more],
      ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)],
    )
  await make('ca', '/CN=weir-testbed', ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'])
  const signed = (usage: string, names = ''): readonly string[] => [
    ...['-CA', file('ca.crt'), '-CAkey', file('ca.key')],
    ...['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', `extendedKeyUsage=${usage}`],
    ...(names === '' ? [] : ['-addext', `subjectAltName=${names}`]),
  ]
  const service = addressIn(plan.network.serviceRange, 1)
  const hosts = [...new Set([plan.network.address, '127.0.0.1', service])]
  const services = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
  const names = [...hosts.map(one => `IP:${one}`), ...services.map(one => `DNS:${one}`)].join(',')
  await Promise.all([
    make('apiserver', '/CN=kube-apiserver', signed('serverAuth', names)),
    make('apiserver-kubelet', '/O=system:masters/CN=kube-apiserver', signed('clientAuth')),
    ...clientsOf[plan.form].map(name => make(name, clients[name] ?? '', signed('clientAuth'))),
    openssl(
      ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
      [...['-out', file('service-account.key')]],
    ),
  ])
  for (const name of clientsOf[plan.form]) writeKubeconfig(plan, name)
  writeFileSync(file('done'), '')
}

function openssl(what: readonly string[], where: readonly string[]): Promise<string> {
  return runTool('openssl', [...what, ...where], { install: 'install openssl' })
}

export function kubeconfigOf(plan: KubePlan, client: string): string {
  return join(plan.folder, 'pki', `${client}.kubeconfig`)
}

/** JSON is YAML, too. Everything is inside, so that the file works wherever it is copied to. */
function writeKubeconfig(plan: KubePlan, client: string): void {
  const data = (name: string): string =>
    readFileSync(join(plan.folder, 'pki', name)).toString('base64')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'weir-testbed',
        cluster: { server: endpointOf(plan), 'certificate-authority-data': data('ca.crt') },
      },
    ],
    users: [
      {
        name: client,
        user: {
          'client-certificate-data': data(`${client}.crt`),
          'client-key-data': data(`${client}.key`),
        },
      },
    ],
    contexts: [{ name: 'weir-testbed', context: { cluster: 'weir-testbed', user: client } }],
    'current-context': 'weir-testbed',
  }
  writeFileSync(kubeconfigOf(plan, client), JSON.stringify(config, undefined, 2), { mode: 0o600 })
}
