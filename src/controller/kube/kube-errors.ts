/** What can go wrong between the controller and the API server. */
import { defineErrors, isWeirError, type WeirError } from '../../common/errors.ts'

/** A request, as people read it. */
interface Asked {
  readonly method: string
  readonly path: string
}

/** What the API server said of it. No object, and so no secret, is ever part of it. */
interface Refused extends Asked {
  readonly status: number
  readonly said: string
}

const words = ({ method, path, status, said }: Refused): string =>
  `the API server refused ${method} ${path}: ${status} ${said}`

export const kubeErrors = defineErrors({
  WEIR_KUBE_UNREACHABLE: {
    domain: 'external',
    retry: 'later',
    message: ({ method, path, reason }: Asked & { reason: string }) =>
      `no answer from the API server to ${method} ${path}: ${reason}`,
    next: 'nothing is changed meanwhile; check that the API server can be reached',
  },
  WEIR_KUBE_BUSY: {
    domain: 'external',
    retry: 'later',
    message: words,
    next: 'it is tried again later; look at the health of the API server if it stays',
  },
  WEIR_KUBE_FORBIDDEN: {
    domain: 'external',
    retry: 'later',
    message: words,
    next: 'give the service account of the controller the role of the chart, or a valid token',
  },
  WEIR_KUBE_DENIED: {
    domain: 'external',
    retry: 'later',
    message: words,
    next: 'the words name the rule of the cluster that is in the way; it is tried again by itself',
  },
  WEIR_KUBE_TAKEN: {
    domain: 'external',
    retry: 'later',
    message: ({ kind, name, owner }: { kind: string; name: string; owner: string }) =>
      `${kind} ${name} is there already and belongs to ${owner}: it is left as it is`,
    next: 'remove it, or give what is to be made another name',
  },
  WEIR_KUBE_CONFLICT: {
    domain: 'external',
    retry: 'now',
    message: words,
    next: 'somebody else was faster: the object is looked at again',
  },
  WEIR_KUBE_NOT_FOUND: {
    domain: 'external',
    retry: 'later',
    message: words,
    next: 'check that the namespace exists and that the CRDs of this version are installed',
  },
  WEIR_KUBE_EXPIRED: {
    domain: 'external',
    retry: 'now',
    message: words,
    next: 'the list is read again',
  },
  WEIR_KUBE_INVALID: {
    domain: 'external',
    retry: 'later',
    message: words,
    next: 'an admission rule of the cluster is in the way, or the CRDs are of another version',
  },
  WEIR_KUBE_MALFORMED: {
    domain: 'external',
    retry: 'later',
    message: ({ method, path, reason }: Asked & { reason: string }) =>
      `the answer to ${method} ${path} cannot be read: ${reason}`,
    next: 'it is asked again; check what stands between the controller and the API server',
  },
  WEIR_KUBE_CONFIG: {
    domain: 'user',
    retry: 'never',
    message: ({ source, problem }: { source: string; problem: string }) =>
      `${source} does not lead to an API server: ${problem}`,
    next: 'run inside a cluster, or name a kubeconfig with a token or a client certificate',
  },
  WEIR_KUBE_LEASE_LOST: {
    domain: 'external',
    retry: 'later',
    message: ({ lease }: { lease: string }) => `this controller no longer holds the lease ${lease}`,
    next: 'another replica leads; nothing is to be done',
  },
})

export type KubeErrorCode = keyof typeof kubeErrors

export function isKubeError(error: unknown, code: KubeErrorCode): boolean {
  return isWeirError(error) && error.code === code
}

/** The error that an answer stands for. */
export function refusal(refused: Refused): WeirError {
  const { status } = refused
  if (status === 401 || (status === 403 && isOfRights(refused))) {
    return kubeErrors.WEIR_KUBE_FORBIDDEN(refused)
  }
  if (status === 403) return kubeErrors.WEIR_KUBE_DENIED(refused)
  if (status === 404) return kubeErrors.WEIR_KUBE_NOT_FOUND(refused)
  if (status === 409) return kubeErrors.WEIR_KUBE_CONFLICT(refused)
  if (status === 410) return kubeErrors.WEIR_KUBE_EXPIRED(refused)
  if (status === 429 || status >= 500) return kubeErrors.WEIR_KUBE_BUSY(refused)
  return kubeErrors.WEIR_KUBE_INVALID(refused)
}

/** A missing right and a rule in the way have one status: words of the first name who asked. */
function isOfRights({ said }: Refused): boolean {
  return said === '' || said.includes(': User "')
}
