/**
 * How many frames each channel of one input may have on their way: the receiver's side of the flow
 * control. Pure: what is to be granted is told to the channel, which announces it.
 *
 * Each channel has some credits of its own. Floating ones are lent to a channel until its sender
 * may send what waits there and as many frames as its own credits allow on top, first come first
 * served; they come back as frames are taken. So a channel that nobody reads, and whose sender had
 * nothing waiting yet, takes in as much as one that is full from the start.
 *
 * Invariants
 *  CP1  Granted and unused, plus frames that came and were not taken, never exceed the credits a
 *       channel has: its own and those lent to it.
 *  CP2  Lent and free floating credits together are always the same number.
 *  CP3  A channel whose frames were all taken has at least its own credits granted: it can go on,
 *       whatever the others do.
 *  CP4  A floating credit that comes back goes to another channel that waits, if there is one; of
 *       several to the one that asked first.
 *
 * Source: Flink's credit-based flow control (FLINK-7282), where a channel requires as many buffers
 * as its backlog and its initial credit together.
 */
import { assert } from '../../common/assert.ts'

export interface CreditPoolOptions {
  /** Of each channel. */
  readonly exclusive: number
  /** Of all channels of the input together. */
  readonly floating: number
}

/** The account of one channel. */
export interface CreditAccount {
  /** The sender may use its own credits from now on. */
  open(): void
  /** A frame came that used a credit; `backlog` more wait at the sender. */
  arrived(backlog: number): void
  /** A frame was taken out of the queue: its place is free. */
  taken(): void
  /** Nothing will come any more: what was lent goes back. */
  close(): void
  /** Granted and not used yet. */
  readonly granted: number
  /** Came and not taken. */
  readonly held: number
  /** Floating credits it has. */
  readonly lent: number
}

export class CreditPool {
  readonly #exclusive: number
  readonly #floating: number
  #free: number
  /** Channels that want a floating credit; each stands here once. */
  readonly #waiting: Account[] = []

  constructor({ exclusive, floating }: CreditPoolOptions) {
    assert(exclusive > 0, 'CP3: a channel has credits of its own')
    this.#exclusive = exclusive
    this.#floating = floating
    this.#free = floating
  }

  /** Floating credits that nobody has. */
  get free(): number {
    return this.#free
  }

  /** `grant` is called for each credit that the channel's sender may use. */
  account(grant: () => void): CreditAccount {
    return new Account(grant, {
      exclusive: this.#exclusive,
      ask: account => this.#ask(account),
      giveBack: account => this.#giveBack(account),
      othersWait: account => this.#waiting.length > (this.#waiting.includes(account) ? 1 : 0),
      leave: account => this.#leave(account),
    })
  }

  /** True: lent at once. */
  #ask(account: Account): boolean {
    if (this.#free === 0) {
      if (!this.#waiting.includes(account)) this.#waiting.push(account)
      return false
    }
    this.#free--
    return true
  }

  #giveBack(from: Account): void {
    this.#free++
    assert(this.#free <= this.#floating, 'CP2: no more comes back than was lent')
    // Whoever gave it up gets it again only when nobody else waits.
    const next = this.#waiting.findIndex(account => account !== from)
    if (next === -1) return
    const [account] = this.#waiting.splice(next, 1)
    this.#free--
    account?.lend()
  }

  #leave(account: Account): void {
    const at = this.#waiting.indexOf(account)
    if (at !== -1) this.#waiting.splice(at, 1)
  }
}

interface Lender {
  readonly exclusive: number
  ask(account: Account): boolean
  giveBack(account: Account): void
  othersWait(account: Account): boolean
  leave(account: Account): void
}

class Account implements CreditAccount {
  granted = 0
  held = 0
  lent = 0
  #backlog = 0
  #isOpen = false
  readonly #grant: () => void
  readonly #lender: Lender

  constructor(grant: () => void, lender: Lender) {
    this.#grant = grant
    this.#lender = lender
  }

  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#fill()
  }

  arrived(backlog: number): void {
    assert(this.granted > 0, 'CP1: a frame uses a credit')
    this.granted--
    this.held++
    this.#backlog = backlog
    this.#borrow()
  }

  taken(): void {
    assert(this.held > 0, 'CP1: a frame is taken once')
    this.held--
    const tooMany = !this.#wants || this.#lender.othersWait(this)
    if (this.lent > 0 && tooMany) this.#return()
    this.#fill()
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#lender.leave(this)
    while (this.lent > 0) this.#return()
  }

  /** A floating credit came that was waited for. */
  lend(): void {
    this.lent++
    this.#fill()
    this.#borrow()
  }

  /** The sender could use more: what waits there, and what comes next. */
  get #wants(): boolean {
    return this.granted < this.#backlog + this.#lender.exclusive
  }

  #borrow(): void {
    while (this.#wants && this.#lender.ask(this)) {
      this.lent++
      this.#fill()
    }
    if (!this.#wants) this.#lender.leave(this)
  }

  #return(): void {
    this.lent--
    this.#lender.giveBack(this)
  }

  /** Grants what the credits it has allow. */
  #fill(): void {
    while (this.#isOpen && this.granted + this.held < this.#lender.exclusive + this.lent) {
      this.granted++
      this.#grant()
    }
  }
}
