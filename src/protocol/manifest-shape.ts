/** The outer fields that every kind of manifest has. */
import { z } from 'zod'
import { nameField } from './manifest-fields.ts'
import { stringMap } from './manifest-lists.ts'

export const API_GROUP = 'weir.dev'
export const API_VERSION = 'v1alpha1'

export interface ManifestShape<K extends string, S extends z.ZodType> {
  readonly kind: K
  readonly nameChars: number
  readonly spec: S
}

export function manifestOf<K extends string, S extends z.ZodType>(shape: ManifestShape<K, S>) {
  return z.strictObject({
    apiVersion: z.literal(`${API_GROUP}/${API_VERSION}`),
    kind: z.literal(shape.kind),
    // The API server adds fields of its own: a manifest fetched with kubectl is one here too.
    metadata: z.looseObject({
      name: nameField(shape.nameChars),
      namespace: nameField(63).optional(),
      labels: stringMap(64).optional(),
      annotations: stringMap(64).optional(),
    }),
    spec: shape.spec,
    /** Written by the controller, ignored here. */
    status: z.record(z.string(), z.unknown()).optional(),
  })
}
