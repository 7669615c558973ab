/**
 * How two processes of one job begin to talk: each proves that it knows the job's secret, without
 * showing it, and both agree that they belong together. Any duplex stream will do; afterwards it is
 * handed on with nothing read beyond the handshake.
 *
 *   dialer                                     listener
 *   hello: who I am, a nonce      ──────▶
 *                                 ◀──────      hello: who I am, a nonce; then its proof
 *   proof                         ──────▶
 *                                 ◀──────      verdict: admitted, or refused and why
 *
 * A proof is an HMAC-SHA-256 over the role in this exchange and both hellos: what one side said can
 * neither be sent back to it (other role) nor be used again (other nonce).
 *
 * Owns        the proofs, and the comparison of role, job and version.
 * Leaves out  encryption (TLS may lie below), and what else makes two ends fit: `admit`.
 *
 * Invariants
 *  H1  Nothing but hellos and proofs is exchanged before both sides are proven.
 *  H2  A stranger makes this process hold at most two messages of MESSAGE_BYTES_MAX, and wait at
 *      most `timeoutMs` for each.
 *  H3  A handshake that fails ends the stream, at both ends.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { assert } from '../../common/assert.ts'
import type { Clock } from '../../common/clock.ts'
import type { ErrorMaker, WeirError } from '../../common/errors.ts'
import type { Random } from '../../common/random.ts'
import {
  type Hello,
  helloText,
  type PeerIdentity,
  parseHello,
  parseVerdict,
  type Refusal,
  type RefusedOver,
} from './handshake-messages.ts'
import { HandshakeStream } from './handshake-stream.ts'
import { type Disagreement, networkErrors } from './network-errors.ts'

export type { PeerIdentity, Refusal } from './handshake-messages.ts'

export interface HandshakeOptions {
  readonly stream: Duplex
  readonly side: 'dialer' | 'listener'
  /** Of the whole job; at least 16 bytes. */
  readonly secret: Buffer
  readonly own: PeerIdentity
  /** What the other end must be. */
  readonly peerRole: string
  /** How the other end is called in errors. */
  readonly peer: string
  /**
   * Called when the other end is proven and role, job and version fit: a refusal, or `undefined`
   * when it may come in. It may take its time.
   */
  admit(peer: PeerIdentity): Promise<Refusal | undefined> | Refusal | undefined
  /** For each message of the other side. */
  readonly timeoutMs: number
  /** For the verdict, which may wait for the other side's `admit`. */
  readonly verdictTimeoutMs: number
  readonly clock: Clock
  readonly random: Random
}

const SECRET_BYTES_MIN = 16
const PROOF_BYTES = 32

/**
 * Resolves to who the other end is. Rejects with the typed error of what does not fit, which the
 * other end gets too once it is proven.
 */
export async function shakeHands(options: HandshakeOptions): Promise<PeerIdentity> {
  assert(options.secret.length >= SECRET_BYTES_MIN, 'a secret has 16 bytes or more')
  const { stream, clock, peer } = options
  const talk = new HandshakeStream({ stream, clock, peer })
  try {
    const who = await (options.side === 'dialer' ? dial(talk, options) : answer(talk, options))
    talk.release()
    return who
  } catch (error) {
    talk.abandon()
    throw error
  }
}

async function dial(talk: HandshakeStream, options: HandshakeOptions): Promise<PeerIdentity> {
  const own = makeHello(options)
  talk.write(own)
  const theirs = await talk.read('hello', options.timeoutMs)
  const hello = parseHello(theirs, options.peer)
  const proof = await talk.read('proof', options.timeoutMs)
  const transcript = { secret: options.secret, dialer: own, listener: theirs }
  checkProof(proof, 'listener', { transcript, hello, options })
  const refusal = misfit(hello, options) ?? (await options.admit(hello))
  // Also when this end refuses: the other, once it is sure of this one, can say why it does too.
  talk.trust()
  talk.write(prove('dialer', transcript))
  const verdict = parseVerdict(await talk.read('verdict', options.verdictTimeoutMs), options.peer)
  if (refusal !== undefined) throw refusalError(refusal, options.peer)
  if (verdict === undefined) return hello
  // The listener speaks of itself as `own`.
  throw refusalError({ ...verdict, own: verdict.theirs, theirs: verdict.own }, options.peer)
}

async function answer(talk: HandshakeStream, options: HandshakeOptions): Promise<PeerIdentity> {
  const theirs = await talk.read('hello', options.timeoutMs)
  const hello = parseHello(theirs, options.peer)
  const own = makeHello(options)
  const transcript = { secret: options.secret, dialer: theirs, listener: own }
  talk.write(own)
  talk.write(prove('listener', transcript))
  const proof = await talk.read('proof', options.timeoutMs)
  checkProof(proof, 'dialer', { transcript, hello, options })
  const fits = misfit(hello, options)
  const refusal = fits ?? (await talk.whileQuiet(async () => options.admit(hello)))
  talk.write(Buffer.from(JSON.stringify({ refused: refusal ?? null })))
  if (refusal !== undefined) throw refusalError(refusal, options.peer)
  return hello
}

function makeHello({ own, random }: HandshakeOptions): Buffer {
  return helloText({ ...own, nonce: `${random.uuid()}${random.uuid()}` })
}

interface Transcript {
  readonly secret: Buffer
  readonly dialer: Buffer
  readonly listener: Buffer
}

function prove(side: 'dialer' | 'listener', { secret, dialer, listener }: Transcript): Buffer {
  const hmac = createHmac('sha256', secret)
  hmac.update(`weir handshake 1, ${side}, ${dialer.length}, ${listener.length}\n`)
  return hmac.update(dialer).update(listener).digest()
}

function checkProof(
  proof: Buffer,
  side: 'dialer' | 'listener',
  context: { transcript: Transcript; hello: Hello; options: HandshakeOptions },
): void {
  const { transcript, hello, options } = context
  const expected = prove(side, transcript)
  if (proof.length === PROOF_BYTES && timingSafeEqual(proof, expected)) return
  // Two jobs have two secrets: to name the jobs tells more than to name the proof.
  const { peer, own } = options
  if (hello.jobId !== own.jobId) {
    throw refusalError({ over: 'job', own: own.jobId, theirs: hello.jobId }, peer)
  }
  throw networkErrors.WEIR_PEER_UNPROVEN({ peer })
}

function misfit(hello: Hello, { own, peerRole }: HandshakeOptions): Refusal | undefined {
  if (hello.jobId !== own.jobId) return { over: 'job', own: own.jobId, theirs: hello.jobId }
  if (hello.version !== own.version) {
    return { over: 'version', own: own.version, theirs: hello.version }
  }
  if (hello.role !== peerRole) return { over: 'role', own: peerRole, theirs: hello.role }
  return undefined
}

const errorOf: Readonly<Record<RefusedOver, ErrorMaker<Disagreement>>> = {
  role: networkErrors.WEIR_PEER_OF_OTHER_ROLE,
  job: networkErrors.WEIR_PEER_OF_OTHER_JOB,
  version: networkErrors.WEIR_PEER_OF_OTHER_VERSION,
  attempt: networkErrors.WEIR_PEER_OF_OTHER_ATTEMPT,
  slot: networkErrors.WEIR_PEER_OF_OTHER_SLOT,
}

function refusalError({ over, own, theirs }: Refusal, peer: string): WeirError {
  return errorOf[over]({ peer, own, theirs })
}
