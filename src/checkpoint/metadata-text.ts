/**
 * The text of a checkpoint's metadata: indented JSON with a checksum over itself, one line a key
 * group (`group offset length crc`) and one a channel (`channel-text.ts`).
 *
 * Invariants
 *  M1  Reading what was written gives the same metadata.
 *  M2  A cut or changed text is refused, never half read.
 */
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import type { StateMeta } from '../state/keyed-state-backend.ts'
import { channelOfText, channelText } from './channel-text.ts'
import { checkpointErrors } from './checkpoint-errors.ts'
import { type CheckpointMetadata, METADATA_VERSION } from './checkpoint-metadata.ts'
import type { KeyGroupSection, Section, StoredJson, StoredSplit } from './snapshot-handle.ts'
import type { CheckedFile } from './state-file.ts'

const BLANK_CHECKSUM = '"checksum": "00000000"'

export function writeMetadata(metadata: CheckpointMetadata): Buffer {
  const { formatVersion, ...rest } = metadata
  const shown = {
    formatVersion,
    checksum: '00000000',
    ...rest,
    operators: metadata.operators.map(operator => ({
      ...operator,
      subtasks: operator.subtasks.map(subtask => ({
        ...subtask,
        keyed: subtask.keyed && {
          stateSet: subtask.keyed.stateSet,
          groups: subtask.keyed.groups.map(g => `${g.keyGroup} ${sectionText(g)}`),
        },
        operatorState: subtask.operatorState.map(({ section, itemLengths, ...state }) => ({
          ...state,
          section: sectionText(section),
          itemLengths: itemLengths.join(' '),
        })),
        sharedState: subtask.sharedState.map(file => ({ ...file, crc: hex(file.crc) })),
      })),
    })),
    edges: metadata.edges.map(edge => ({ ...edge, channels: edge.channels.map(channelText) })),
  }
  const text = `${JSON.stringify(shown, null, 2)}\n`
  return Buffer.from(text.replace(BLANK_CHECKSUM, `"checksum": "${hex(crc32(text))}"`))
}

function sectionText(section: Section): string {
  return `${section.offset} ${section.length} ${hex(section.crc)}`
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}

/** Throws WEIR_CHECKPOINT_CORRUPT, or WEIR_CHECKPOINT_FORMAT for one of a newer Weir. */
export function readMetadata(bytes: Buffer, file: CheckedFile): CheckpointMetadata {
  const corrupt = (reason: string, cause?: unknown): Error =>
    checkpointErrors.WEIR_CHECKPOINT_CORRUPT(
      { file: file.path, reason, previous: file.previous },
      cause,
    )
  const text = bytes.toString()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw corrupt('is truncated or damaged: it is no JSON', error)
  }
  const head = headSchema.safeParse(json)
  if (!head.success) throw corrupt('is no checkpoint metadata')
  const { formatVersion, checksum } = head.data
  if (formatVersion < 1 || formatVersion > METADATA_VERSION) {
    throw checkpointErrors.WEIR_CHECKPOINT_FORMAT({
      file: file.path,
      found: String(formatVersion),
      known: METADATA_VERSION,
    })
  }
  const blank = text.replace(`"checksum": "${checksum}"`, BLANK_CHECKSUM)
  if (hex(crc32(blank)) !== checksum) throw corrupt('is damaged: its checksum differs')
  const parsed = metadataSchema.safeParse(json)
  if (!parsed.success) throw corrupt(`is malformed: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

const headSchema = z.object({ formatVersion: z.number(), checksum: z.string() })
const count = z.int().min(0)
const anyJson = z.json() as unknown as z.ZodType<StoredJson>

/** An absent field stays present as `undefined`: the shape is the same as when it was built. */
function orUndefined<T>(schema: z.ZodType<T>) {
  return z
    .optional(schema)
    .default(undefined as never)
    .transform((value): T | undefined => value)
}

const numbers = (text: string, length: number, context: z.RefinementCtx): readonly number[] => {
  const parts = text.split(' ')
  const values = parts.map((part, index) =>
    Number.parseInt(part, index === parts.length - 1 ? 16 : 10),
  )
  if (values.length !== length || values.some(value => !Number.isInteger(value))) {
    context.addIssue({ code: 'custom', message: `not a section: ${text}` })
  }
  return values
}

const section = z.string().transform((text, context): Section => {
  const [offset = 0, length = 0, crc = 0] = numbers(text, 3, context)
  return { offset, length, crc }
})

const keyGroupSection = z.string().transform((text, context): KeyGroupSection => {
  const [keyGroup = 0, offset = 0, length = 0, crc = 0] = numbers(text, 4, context)
  return { keyGroup, offset, length, crc }
})

const itemLengths = z
  .string()
  .transform((text): readonly number[] => (text === '' ? [] : text.split(' ').map(Number)))

const split = z.looseObject({ id: z.string() }) as unknown as z.ZodType<StoredSplit>
const stateMeta = z.looseObject({
  name: z.string(),
  kind: z.string(),
  version: z.number(),
  ttl: z.boolean(),
}) as unknown as z.ZodType<StateMeta>

const operatorState = z.looseObject({
  name: z.string(),
  redistribution: z.enum(['split', 'union', 'broadcast']),
  schema: z.unknown(),
  section,
  itemLengths,
})

const committable = z.object({
  checkpointId: count,
  committable: anyJson,
  transaction: z.object({ name: z.string(), records: count }).optional(),
})

const subtask = z.object({
  subtaskIndex: count,
  keyed: orUndefined(z.object({ stateSet: count, groups: z.array(keyGroupSection) })),
  operatorState: z.array(operatorState),
  splits: orUndefined(z.array(split)),
  writerState: orUndefined(z.array(anyJson)),
  committables: orUndefined(z.array(committable)),
  privateState: orUndefined(z.object({ file: z.string(), sizeBytes: count })),
  sharedState: z.array(
    z.object({
      file: z.string(),
      sizeBytes: count,
      crc: z.string().transform(text => Number.parseInt(text, 16)),
    }),
  ),
})

const operator = z.object({
  operatorId: z.string(),
  uid: orUndefined(z.string()),
  name: z.string(),
  vertexId: z.string(),
  parallelism: count,
  maxParallelism: count,
  form: orUndefined(z.record(z.string(), z.string())),
  enumeratorState: orUndefined(anyJson),
  stateSets: z.array(z.array(stateMeta)),
  subtasks: z.array(subtask),
})

const edge = z.object({
  edgeId: z.string(),
  fromOperatorId: z.string(),
  vertexId: z.string(),
  partitioner: z.enum([
    'forward',
    'rebalance',
    'rescale',
    'shuffle',
    'broadcast',
    'global',
    'key',
    'custom',
  ]),
  schema: z.unknown(),
  isLocated: z.boolean().optional(),
  parallelism: count,
  maxParallelism: count,
  channels: z.array(channelOfText),
})
const countsByName = z.record(z.string(), z.record(z.string(), z.number()))

const metadataSchema: z.ZodType<CheckpointMetadata> = z.object({
  formatVersion: z.union([z.literal(1), z.literal(METADATA_VERSION)]),
  kind: z.enum(['checkpoint', 'savepoint']),
  checkpointId: count,
  jobId: z.string(),
  jobName: z.string(),
  generation: count,
  triggeredAtMs: z.number(),
  completedAtMs: z.number(),
  operators: z.array(operator),
  edges: z.array(edge).default([]),
  proof: z.object({
    recordsPerSplit: countsByName,
    recordsPerSink: z.record(z.string(), z.number()).default({}),
    recordsPerTransaction: countsByName.default({}),
  }),
})
