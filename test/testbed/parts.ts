import { kafkaPart } from './kafka-part.ts'
import { kubeControlPart, kubeFakePart, kubeNodePart } from './kube/kube-parts.ts'
import type { Part, PartName } from './part.ts'
import { s3Part } from './s3-part.ts'

/** Every part that can be started, by its name. */
export const parts: Readonly<Record<PartName, Part>> = {
  s3: s3Part,
  kafka: kafkaPart,
  kube: kubeNodePart,
  'kube-control': kubeControlPart,
  'kube-fake': kubeFakePart,
}
