/**
 * What a newer version of the controller has written into a status and this one does not know: a
 * phase, a goal, a mode. Fields that are merely added do not matter: they are kept. Pure.
 */
import type { z } from 'zod'
import { oncePerObject } from '../common/once-per-object.ts'

/** By the schema of this version: the path with its value; `undefined`: all of it is known. */
export function newerIn(schema: z.ZodType): (status: object) => string | undefined {
  // Most passes see a status again.
  return oncePerObject(status => {
    const parsed = schema.safeParse(status)
    if (parsed.success) return undefined
    // The API server keeps what its CRD knows: anything else that is wrong has another enumeration.
    const issue = parsed.error.issues.find(one => one.code === 'invalid_value')
    if (issue === undefined) return undefined
    const value = issue.path.reduce<unknown>(
      (part, step) => (part as Record<PropertyKey, unknown> | undefined)?.[step],
      status,
    )
    return `status.${issue.path.join('.')} is ${JSON.stringify(value)}`
  })
}

/** Why nothing is done, as the condition `Stalled` says it. */
export function leftToNewer(newer: string) {
  const message =
    `${newer}, which this version of the controller does not know: a newer one wrote it and goes ` +
    'on from there; end the older replicas'
  return { type: 'Stalled', holds: true, reason: 'NewerController', message } as const
}
