/**
 * The input of the all-round job: split s has records 0, 1, 2, … and record n of split s is a
 * function of the seed, s and n. Whatever the job must give follows from it alone, so the job and
 * the checker of its output share this file and nothing else.
 */
import { type Infer, record, z } from 'weir'

/** A record with its header: where it stands in its split, and in its split and key. */
export const Ordered = record({
  split: z.int32(),
  seq: z.int32(),
  key: z.int32(),
  /** How many records of this split and key come before it. */
  ordinal: z.int32(),
  value: z.int32(),
  at: z.timestamp(),
  /** Of a length of its own: most are short, a few are longer than any frame. */
  note: z.string(),
  check: z.int32(),
})
export type Ordered = Infer<typeof Ordered>

export interface InputPlan {
  readonly seed: number
  readonly splits: number
  /** Of each split. */
  readonly records: number
  /** Of event time: a split begins where the one before it ends. */
  readonly splitMs: number
}

export const KEYS = 16
/** Keys repeat after so many records: 16 of them are of key 0, so that it is a hot one. */
const CYCLE = 64
const HOT = 16
/** Records come in bursts of 2 s, so that sessions end. */
export const BURST_RECORDS = 200
const STEP_MS = 10
export const DISORDER_MS = 40
const BEGIN = Date.UTC(2026, 0, 1)
/** Later than any record: what waits for it fires at the end of the input. */
export const FAR_FUTURE = Date.UTC(2100, 0, 1)
const LONG_EVERY = 700
const LONG_CHARACTERS = 70_000

/** Makes the records of a plan; the cycle of keys is drawn once. */
export class OrderingInput {
  readonly plan: InputPlan
  readonly #keys = new Int32Array(CYCLE)
  /** Records of the same key that stand before it in the cycle. */
  readonly #ranks = new Int32Array(CYCLE)
  readonly #perCycle = new Int32Array(KEYS)

  constructor(plan: InputPlan) {
    this.plan = plan
    for (let i = 0; i < CYCLE; i++) this.#keys[i] = i < HOT ? 0 : i % KEYS
    for (let i = CYCLE - 1; i > 0; i--) {
      const other = (mix(plan.seed, i, 77) >>> 0) % (i + 1)
      const mine = this.#keys[i] as number
      this.#keys[i] = this.#keys[other] as number
      this.#keys[other] = mine
    }
    for (let i = 0; i < CYCLE; i++) {
      const key = this.#keys[i] as number
      this.#ranks[i] = this.#perCycle[key] as number
      this.#perCycle[key] = (this.#perCycle[key] as number) + 1
    }
  }

  recordAt(split: number, seq: number): Ordered {
    const { seed, records, splitMs } = this.plan
    const place = seq % CYCLE
    const key = this.#keys[place] as number
    const perCycle = this.#perCycle[key] as number
    const ordinal = Math.floor(seq / CYCLE) * perCycle + (this.#ranks[place] as number)
    const value = mix(seed, split, seq) >>> 8
    const burst = Math.floor(seq / BURST_RECORDS)
    const burstMs = splitMs / Math.ceil(records / BURST_RECORDS)
    const at =
      BEGIN +
      split * splitMs +
      Math.floor(burst * burstMs) +
      (seq % BURST_RECORDS) * STEP_MS +
      (value % (DISORDER_MS + 1))
    const note = noteOf(value)
    const check = checkOf({ split, seq, key, value })
    return { split, seq, key, ordinal, value, at, note, check }
  }

  /** Records of a key in each split. */
  countOf(key: number): number {
    let count = Math.floor(this.plan.records / CYCLE) * (this.#perCycle[key] as number)
    for (let i = 0; i < this.plan.records % CYCLE; i++) if (this.#keys[i] === key) count++
    return count
  }

  *all(): Generator<Ordered> {
    for (let split = 0; split < this.plan.splits; split++) {
      for (let seq = 0; seq < this.plan.records; seq++) yield this.recordAt(split, seq)
    }
  }
}

/** Throws when the record is not what left the source. */
export function verifyHeader(one: Ordered): Ordered {
  if (one.check === checkOf(one) && one.note === noteOf(one.value)) return one
  const { split, seq, key, value, check } = one
  const text = JSON.stringify({ split, seq, key, value, check, noteLength: one.note.length })
  throw new Error(`a record was damaged on its way: ${text}`)
}

/** Of a record, or of a record on one of several ways. */
export function hashOf(one: Pick<Ordered, 'split' | 'seq' | 'value'>): number {
  return mix(one.value, one.split, one.seq) >>> 0
}

function checkOf({ split, seq, key, value }: Omit<Ordered, 'at' | 'note' | 'check' | 'ordinal'>) {
  return mix(mix(split, seq, key), value, 5)
}

function noteOf(value: number): string {
  if (value % LONG_EVERY === 0) return 'long'.repeat(LONG_CHARACTERS / 4)
  return 'weir flows '.slice(0, value % 11).repeat(1 + (value % 5))
}

/** Spreads three numbers over 32 bits (the finaliser of MurmurHash3 after each). */
function mix(a: number, b: number, c: number): number {
  return finish(finish(finish(a | 0) ^ (b | 0)) ^ (c | 0))
}

function finish(bits: number): number {
  let h = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
