/** Vectors of key groups: hash, ranges, owners, the default maximum parallelism. */
import {
  defaultMaxParallelism,
  keyGroupRange,
  murmurHash,
  subtaskOfKeyGroup,
} from '../../src/state/key-groups.ts'

interface RangeLine {
  readonly kind: 'range'
  readonly maxParallelism: number
  readonly parallelism: number
  readonly subtask: number
  readonly start: number
  readonly end: number
}

interface OwnerLine {
  readonly kind: 'owner'
  readonly maxParallelism: number
  readonly parallelism: number
  readonly keyGroup: number
  readonly subtask: number
}

type Line =
  | { readonly kind: 'murmur'; readonly hash: number; readonly murmur: number }
  | RangeLine
  | OwnerLine
  | {
      readonly kind: 'defaultMaxParallelism'
      readonly parallelism: number
      readonly maxParallelism: number
    }

export function run(line: unknown): string | undefined {
  const vector = line as Line
  switch (vector.kind) {
    case 'murmur':
      return differs(vector.murmur, murmurHash(vector.hash))
    case 'range': {
      const { maxParallelism, parallelism, subtask, start, end } = vector
      return differs({ start, end }, keyGroupRange(subtask, maxParallelism, parallelism))
    }
    case 'owner': {
      const { maxParallelism, parallelism, keyGroup, subtask } = vector
      return differs(subtask, subtaskOfKeyGroup(keyGroup, maxParallelism, parallelism))
    }
    case 'defaultMaxParallelism':
      return differs(vector.maxParallelism, defaultMaxParallelism(vector.parallelism))
    default:
      return `an unknown kind of line: ${JSON.stringify(line)}`
  }
}

function differs(wanted: unknown, got: unknown): string | undefined {
  const [a, b] = [JSON.stringify(wanted), JSON.stringify(got)]
  return a === b ? undefined : `wanted ${a}, got ${b}`
}
