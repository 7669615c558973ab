import type { SourceSplit } from '../../api/source.ts'

/** One partition of a topic, and the place in it. */
export interface KafkaSplit extends SourceSplit {
  readonly topic: string
  readonly partition: number
  /** Of the next record. */
  readonly offset: number
  /** Reading ends before it; absent: never. */
  readonly stop?: number
}

export function splitId(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
