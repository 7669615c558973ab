/**
 * What keeps the controller from making an object, in the words of a condition; pure. A refusal is
 * an answer: it is shown to who can do something about it, and asked for again, ever later.
 */
import { isWeirError } from '../../common/errors.ts'
import { parseQuantity } from '../../protocol/quantity.ts'
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
  /** What the API server said. */
  readonly said: string
  /** That, and what to do. */
  readonly message: string
  /** It may go away without a change to the object that it is about. */
  readonly mayPass: boolean
}

interface Rule extends Omit<WriteRefusal, 'said' | 'message'> {
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
    return refusedFor(error.message, { reason: 'NameTaken', mayPass: true, remedy: error.next })
  }
  const { said = '' } = error.details as { readonly said?: string }
  const rule = rules.find(one => one.words.test(said))
  if (rule !== undefined) return refusedFor(said, rule)
  if (isKubeError(error, 'WEIR_KUBE_DENIED')) {
    return refusedFor(said, { reason: 'AdmissionDenied', mayPass: false, remedy: LATER })
  }
  if (isKubeError(error, 'WEIR_KUBE_FORBIDDEN')) {
    return refusedFor(said, { reason: 'RightsMissing', mayPass: true, remedy: error.next })
  }
  if (isKubeError(error, 'WEIR_KUBE_INVALID')) {
    return refusedFor(said, { reason: 'ObjectInvalid', mayPass: false, remedy: LATER })
  }
  return undefined
}

function refusedFor(said: string, { reason, mayPass, remedy }: Omit<Rule, 'words'>): WriteRefusal {
  return { reason, mayPass, said, message: `${said}; ${remedy}` }
}

/** A webhook that is asked in earnest only says nothing of a trial. */
const untried = /does not support dry run/

/**
 * Whether a trial of one object, while others are there that will have left, says that it cannot be
 * made: of a quota only where it is too small for that object alone.
 */
export function isHindrance({ reason, said }: WriteRefusal): boolean {
  if (untried.test(said)) return false
  return reason !== 'QuotaExceeded' || exceedsAlone(said)
}

/** As `requested: a=1,b=2, used: …, limited: a=3,b=4`; other words tell no amounts. */
const quotaWords = /requested: (.*), used: .*, limited: (.*)$/

function exceedsAlone(said: string): boolean {
  const [, requested, limited] = quotaWords.exec(said) ?? []
  if (requested === undefined || limited === undefined) return true
  const limits = new Map(amountsIn(limited))
  return amountsIn(requested).some(([name, amount]) => amount > (limits.get(name) ?? Infinity))
}

function amountsIn(text: string): [string, number][] {
  return text.split(',').map(pair => {
    const [name = '', amount = ''] = pair.split('=')
    return [name, parseQuantity(amount) ?? 0]
  })
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
