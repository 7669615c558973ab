import { expect, test } from '@jest/globals'
import { kubeErrors, refusal } from '../../../src/controller/kube/kube-errors.ts'
import {
  isHindrance,
  refusalIn,
  retryAfterMs,
  writeRefusal,
} from '../../../src/controller/kube/write-refusal.ts'

const asked = { method: 'POST', path: '/api/v1/namespaces/a/pods' }
const forbidden = 'pods "j-jm-1-1" is forbidden:'

/** Reason, whether it may pass, and the answer. */
const answers: Readonly<Record<string, readonly [string, boolean, number]>> = {
  [`${forbidden} exceeded quota: q, requested: pods=1, used: pods=2`]: ['QuotaExceeded', true, 403],
  [`${forbidden} failed quota: q: must specify limits.cpu for: a`]: ['QuotaExceeded', true, 403],
  [`${forbidden} violates PodSecurity "restricted:latest"`]: ['PodSecurityViolated', false, 403],
  [`${forbidden} maximum cpu usage per Container is 1`]: ['AdmissionDenied', false, 403],
  'admission webhook "w" denied the request: ask team red': ['AdmissionDenied', false, 403],
  'Internal error: failed calling webhook "w": EOF': ['AdmissionUnavailable', true, 500],
  'pods is forbidden: User "me" cannot create resource "pods"': ['RightsMissing', true, 403],
  Unauthorized: ['RightsMissing', true, 401],
  'Pod "j" is invalid: spec.containers[0].image: Required value': ['ObjectInvalid', false, 422],
  [`${forbidden} error looking up service account a/x: serviceaccount "x" not found`]: [
    'ServiceAccountMissing',
    true,
    403,
  ],
  [`${forbidden} unable to create new content in namespace a because it is being terminated`]: [
    'NamespaceTerminating',
    true,
    403,
  ],
}

test.each(Object.entries(answers))('%s', (said, [reason, mayPass, status]) => {
  const refused = writeRefusal(refusal({ ...asked, status, said }))
  expect(refused).toMatchObject({ reason, mayPass })
  expect(refused?.message.startsWith(`${said}; `)).toBe(true)
})

test('a name that somebody else has is a refusal, with its owner', () => {
  const error = kubeErrors.WEIR_KUBE_TAKEN({ kind: 'Service', name: 'a/j-jm', owner: 'Shop s' })
  expect(writeRefusal(error)).toMatchObject({
    reason: 'NameTaken',
    message: expect.stringMatching(/Service a\/j-jm .* belongs to Shop s.*another name/),
  })
})

const trials: Record<string, boolean> = {
  'exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2': false,
  'exceeded quota: q, requested: memory=2Gi,pods=1, used: memory=0,pods=1, limited: memory=1Gi,pods=9': true,
  'exceeded quota: q, requested: cpu=500m, used: cpu=1, limited: cpu=1': false,
  'failed quota: q: must specify limits.cpu for: a': true,
  'violates PodSecurity "restricted:latest": host namespaces': true,
  'admission webhook "w" does not support dry run': false,
}

test.each(Object.entries(trials))('a trial: %s', (said, isInTheWay) => {
  const refused = writeRefusal(refusal({ ...asked, status: 403, said: `${forbidden} ${said}` }))
  expect(refused && isHindrance(refused)).toBe(isInTheWay)
})

test('bad luck is thrown on', async () => {
  const lost = kubeErrors.WEIR_KUBE_UNREACHABLE({ ...asked, reason: 'gone' })
  for (const error of [lost, refusal({ ...asked, status: 503, said: '' }), new Error('mine')]) {
    expect(writeRefusal(error)).toBeUndefined()
    await expect(refusalIn(() => Promise.reject(error))).rejects.toBe(error)
  }
  expect(await refusalIn(async () => {})).toBeUndefined()
})

test('each try waits longer, within bounds whatever the clocks say', () => {
  expect([0, 10_000, 1e9, -1e9].map(retryAfterMs)).toEqual([1_000, 5_000, 60_000, 1_000])
})
