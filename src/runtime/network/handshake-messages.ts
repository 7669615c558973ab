/** The messages of the handshake as they travel: JSON, small and checked. */
import { z } from 'zod'
import { networkErrors } from './network-errors.ts'

/** Who an end of a connection is. */
export interface PeerIdentity {
  /** What it is in this exchange: `sender`, `taskmanager`. */
  readonly role: string
  readonly jobId: string
  /** Of Weir: both ends must be of one. */
  readonly version: string
  /** What else the other end must know: slot, attempt. Small: a hello has a few hundred bytes. */
  readonly facts: Readonly<Record<string, string | number>>
}

export interface Hello extends PeerIdentity {
  readonly nonce: string
}

export type RefusedOver = 'role' | 'job' | 'version' | 'attempt' | 'slot'

/** What does not fit, in the words of the end that refuses. */
export interface Refusal {
  readonly over: RefusedOver
  readonly own: string
  readonly theirs: string
}

const word = z.string().max(256)

const helloSchema = z.strictObject({
  weir: z.literal(1),
  role: word,
  jobId: word,
  version: word,
  facts: z.record(word, z.union([word, z.number()])),
  nonce: z.string().min(32).max(128),
})

const verdictSchema = z.strictObject({
  refused: z.nullable(
    z.strictObject({
      over: z.enum(['role', 'job', 'version', 'attempt', 'slot']),
      own: word,
      theirs: word,
    }),
  ),
})

export function helloText({ role, jobId, version, facts, nonce }: Hello): Buffer {
  return Buffer.from(JSON.stringify({ weir: 1, role, jobId, version, facts, nonce }))
}

/** Throws WEIR_HANDSHAKE_MALFORMED. */
export function parseHello(text: Buffer, peer: string): Hello {
  const { role, jobId, version, facts, nonce } = parse(helloSchema, text, { peer, what: 'hello' })
  return { role, jobId, version, facts, nonce }
}

/** The refusal, or `undefined` when the other end admits. Throws WEIR_HANDSHAKE_MALFORMED. */
export function parseVerdict(text: Buffer, peer: string): Refusal | undefined {
  return parse(verdictSchema, text, { peer, what: 'verdict' }).refused ?? undefined
}

function parse<T>(
  schema: z.ZodType<T>,
  text: Buffer,
  { peer, what }: { readonly peer: string; readonly what: string },
): T {
  let json: unknown
  try {
    json = JSON.parse(text.toString('utf8'))
  } catch {
    json = undefined
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw networkErrors.WEIR_HANDSHAKE_MALFORMED({ peer, what: `its ${what} cannot be read` })
}
