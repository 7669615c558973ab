/** The cluster's DNS as the API objects that make it. */

import { DNS_PLACE } from './kube-node-components.ts'
import { addressIn, type KubePlan } from './kube-plan.ts'
import type { KubeObject } from './kube-request.ts'

const NAMESPACE = 'kube-system'
export const DNS_IMAGE = 'localhost/weir/coredns:1'
const labels = { 'k8s-app': 'kube-dns' }
const metadata = { name: 'coredns', namespace: NAMESPACE }

/** Names of services are answered; all others do not exist, for there is no way out. */
const corefile = `.:1053 {
  template ANY ANY . {
    rcode NXDOMAIN
  }
}
cluster.local:1053 in-addr.arpa:1053 {
  errors
  ready :8181
  kubernetes cluster.local in-addr.arpa {
    pods insecure
    ttl 5
  }
}
`

export function dnsObjects({ network }: KubePlan): readonly KubeObject[] {
  const rbac = { apiGroup: 'rbac.authorization.k8s.io', name: 'system:coredns' }
  const watched = ['list', 'watch']
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    object('rbac.authorization.k8s.io/v1', 'ClusterRole', {
      metadata: { name: rbac.name },
      rules: [
        { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: watched },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: watched },
      ],
    }),
    object('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', {
      metadata: { name: rbac.name },
      roleRef: { ...rbac, kind: 'ClusterRole' },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    }),
    object('v1', 'ConfigMap', { metadata, data: { Corefile: corefile } }),
    object('apps/v1', 'Deployment', {
      metadata,
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec },
      },
    }),
    object('v1', 'Service', {
      metadata: { name: 'kube-dns', namespace: NAMESPACE, labels },
      spec: {
        clusterIP: addressIn(network.serviceRange, DNS_PLACE),
        selector: labels,
        ports: [
          { name: 'dns', port: 53, targetPort: 1053, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, targetPort: 1053, protocol: 'TCP' },
        ],
      },
    }),
  ]
}

function object(
  apiVersion: string,
  kind: string,
  rest: Pick<KubeObject, 'metadata'> & Readonly<Record<string, unknown>>,
): KubeObject {
  return { apiVersion, kind, ...rest }
}

const podSpec = {
  serviceAccountName: 'coredns',
  dnsPolicy: 'Default',
  terminationGracePeriodSeconds: 1,
  containers: [
    {
      name: 'coredns',
      image: DNS_IMAGE,
      imagePullPolicy: 'Never',
      args: ['-conf', '/etc/coredns/Corefile'],
      readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
      resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        runAsUser: 65_535,
        capabilities: { drop: ['ALL'] },
      },
      volumeMounts: [{ name: 'config', mountPath: '/etc/coredns' }],
    },
  ],
  volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
}
