import type { TestCluster } from './test-cluster.ts'

const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection']

/** What a controller uses, what a thief would, and what people have. */
const resources = [
  'configmaps',
  'cronjobs.batch',
  'customresourcedefinitions.apiextensions.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
  'controllerrevisions.apps',
  'daemonsets.apps',
  'deployments.apps',
  'events',
  'events.events.k8s.io',
  'jobs.batch',
  'leases.coordination.k8s.io',
  'limitranges',
  'namespaces',
  'networkpolicies.networking.k8s.io',
  'nodes',
  'nodes/proxy',
  'persistentvolumeclaims',
  'persistentvolumes',
  'poddisruptionbudgets.policy',
  'pods',
  'pods/eviction',
  'pods/exec',
  'pods/log',
  'pods/portforward',
  'resourcequotas',
  'rolebindings.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'savepoints.weir.dev',
  'savepoints.weir.dev/finalizers',
  'savepoints.weir.dev/status',
  'secrets',
  'serviceaccounts',
  'serviceaccounts/token',
  'services',
  'streamjobs.weir.dev',
  'streamjobs.weir.dev/finalizers',
  'streamjobs.weir.dev/scale',
  'streamjobs.weir.dev/status',
  'streamtenants.weir.dev',
  'streamtenants.weir.dev/status',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
]

/**
 * All that a user may do in a namespace, one line for each kind: `list,watch pods`. It asks what
 * `kubectl auth can-i` does.
 */
export async function rightsOf(
  cluster: TestCluster,
  user: string,
  namespace: string,
): Promise<readonly string[]> {
  const may = async (verb: string, shown: string): Promise<boolean> => {
    const [kind = '', subresource] = shown.split('/')
    const [resource, ...group] = kind.split('.')
    const groups = user.startsWith('system:serviceaccount:')
      ? ['system:serviceaccounts', 'system:authenticated']
      : []
    const attributes = { verb, resource, group: group.join('.'), namespace, subresource }
    const answer = await cluster.transport.request({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user, groups, resourceAttributes: attributes },
      },
      resource: 'subjectaccessreviews',
    })
    return (answer as { readonly status: { readonly allowed: boolean } }).status.allowed
  }
  const lines: string[] = []
  for (const resource of resources.toSorted()) {
    const allowed = await Promise.all(verbs.map(verb => may(verb, resource)))
    const named = verbs.filter((_, i) => allowed[i])
    if (named.length > 0) lines.push(`${named.join(',')} ${resource}`)
  }
  return lines
}
