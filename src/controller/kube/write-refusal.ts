/**
 * What keeps the controller from making an object, in the words of a condition; pure. A refusal is
 * an answer: it is shown to who can do something about it, and asked for again, ever later.
 */
import { isWeirError } from '../../common/errors.ts'
import { isKubeError } from './kube-errors.ts'

export interface WriteRefusal {
  readonly reason:
    | 'QuotaExceeded'
    | 'NamespaceTerminating'
    | 'PodSecurityViolated'
    | 'ServiceAccountMissing'
    | 'AdmissionDenied'
    | 'AdmissionUnavailable'
    | 'RightsMissing'
    | 'NameTaken'
    | 'ObjectInvalid'
  /** What the API server said, and what to do. */
  readonly message: string
  /** It may go away without a change to the object that it is about. */
  readonly mayPass: boolean
}

interface Rule extends Omit<WriteRefusal, 'message'> {
  readonly words: RegExp
  readonly remedy: string
}

/** Of the words by which the API server says no; the first that matches holds. */
const rules: readonly Rule[] = [
  {
    words: /because it is being terminated/,
    reason: 'NamespaceTerminating',
    mayPass: true,
    remedy: 'nothing is made in a namespace that is being deleted',
  },
  {
    words: /exceeded quota|failed quota/,
    reason: 'QuotaExceeded',
    mayPass: true,
    remedy: 'make room, or raise that ResourceQuota; it is taken up again by itself',
  },
  {
    words: /violates PodSecurity/,
    reason: 'PodSecurityViolated',
    mayPass: false,
    remedy: 'take what is named out of spec.podTemplate',
  },
  {
    words: /error looking up service account|serviceaccounts? "[^"]*" not found/,
    reason: 'ServiceAccountMissing',
    mayPass: true,
    remedy: 'make that account, or correct spec.serviceAccountName',
  },
  {
    words: /failed calling webhook|failed to call webhook/,
    reason: 'AdmissionUnavailable',
    mayPass: true,
    remedy: 'mend or remove that admission webhook; it is tried again by itself',
  },
]

const LATER = 'change what is named, or the rule of the cluster; it is tried again by itself'

/** `undefined`: it is no refusal, but bad luck of the request. */
export function writeRefusal(error: unknown): WriteRefusal | undefined {
  if (!isWeirError(error)) return undefined
  if (isKubeError(error, 'WEIR_KUBE_TAKEN')) {
    const message = `${error.message}; ${error.next}`
    return { reason: 'NameTaken', mayPass: true, message }
  }
  const { said = '' } = error.details as { readonly said?: string }
  const rule = rules.find(one => one.words.test(said))
  if (rule !== undefined) {
    const { reason, mayPass, remedy } = rule
    return { reason, mayPass, message: `${said}; ${remedy}` }
  }
  if (isKubeError(error, 'WEIR_KUBE_DENIED')) {
    return { reason: 'AdmissionDenied', mayPass: false, message: `${said}; ${LATER}` }
  }
  if (isKubeError(error, 'WEIR_KUBE_FORBIDDEN')) {
    return { reason: 'RightsMissing', mayPass: true, message: `${said}; ${error.next}` }
  }
  if (isKubeError(error, 'WEIR_KUBE_INVALID')) {
    return { reason: 'ObjectInvalid', mayPass: false, message: `${said}; ${LATER}` }
  }
  return undefined
}

/** The refusal that `act` meets, if any. What else goes wrong is thrown on. */
export async function refusalIn(act: () => Promise<void>): Promise<WriteRefusal | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    const refused = writeRefusal(error)
    if (refused === undefined) throw error
    return refused
  }
}

const RETRY_MIN_MS = 1_000
const RETRY_MAX_MS = 60_000

/**
 * When it is tried again: after half of the time for which it has been refused, so each try waits
 * half as long again. Bounded, whatever the clocks say.
 */
export function retryAfterMs(refusedForMs: number): number {
  return Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, refusedForMs / 2))
}
