/** What the statuses of all kinds share. The controller writes them, everybody reads them. */
import { z } from 'zod'
import { integerField } from './manifest-fields.ts'

/** A text that a status holds: bounded, so that a status stays small. */
export function statusText(maxLength: number) {
  return z.string().max(maxLength)
}

/** RFC 3339, as the API server writes times. */
export function timeField() {
  return z
    .string()
    .max(40)
    .meta({ served: { format: 'date-time' } })
}

const condition = z.strictObject({
  type: statusText(64),
  status: z.enum(['True', 'False', 'Unknown']),
  /** A constant of the controller. */
  reason: statusText(64),
  /** Names the object, the value and the next step. */
  message: statusText(1024),
  lastTransitionTime: timeField(),
  /** Of the object that it was found for. */
  observedGeneration: integerField(0).optional(),
})

export type Condition = z.output<typeof condition>

export function conditionsField() {
  return z
    .array(condition)
    .max(16)
    .meta({
      served: { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
    })
    .optional()
}
