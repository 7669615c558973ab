/**
 * What a newer version of the controller has written into a status and this one does not know: a
 * phase, a goal, a mode. Fields that are merely added do not matter: they are kept. Pure.
 */
import { oncePerObject } from '../../common/once-per-object.ts'
import { streamJobStatusSchema } from '../../protocol/stream-job-status.ts'

/** The path with its value; `undefined`: all of it is known. Most passes see a status again. */
export const newerIn = oncePerObject((status: object): string | undefined => {
  const parsed = streamJobStatusSchema.safeParse(status)
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
