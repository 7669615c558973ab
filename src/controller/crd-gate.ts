/**
 * Lets nobody lead whose memory the API server would not keep: with older CRDs it drops fields of
 * statuses. During an upgrade the older controller goes on meanwhile, for the newer is not ready.
 */
import type { Clock } from '../common/clock.ts'
import { messageOf } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import { Alarm } from './kube/alarm.ts'
import { hindranceOf, type ServedCrd } from './served-crds.ts'

export interface CrdGateOptions {
  readonly served: () => Promise<readonly ServedCrd[]>
  readonly clock: Clock
  readonly logger: Logger
  readonly observe: (crd: string, isOutdated: boolean) => void
}

const CLOSED_AGAIN_MS = 5_000
const OPEN_AGAIN_MS = 60_000

export class CrdGate {
  readonly #options: CrdGateOptions
  #hindrance: string | undefined
  #said = ''

  constructor(options: CrdGateOptions) {
    this.#options = options
  }

  /** Why it is closed; `undefined`: it is open. */
  get hindrance(): string | undefined {
    return this.#hindrance
  }

  /** Comes back when it is open, or `signal` says to end. */
  async opened(signal: AbortSignal): Promise<void> {
    await this.#look()
    while (this.#hindrance !== undefined && !signal.aborted) {
      await new Alarm(this.#options.clock, signal).sleep(CLOSED_AGAIN_MS)
      await this.#look()
    }
  }

  /** Likewise when it has closed again: somebody has put back older CRDs. */
  async closed(signal: AbortSignal): Promise<void> {
    while (this.#hindrance === undefined && !signal.aborted) {
      await new Alarm(this.#options.clock, signal).sleep(OPEN_AGAIN_MS)
      if (!signal.aborted) await this.#look()
    }
  }

  async #look(): Promise<void> {
    const { served, logger, observe } = this.#options
    try {
      const crds = await served()
      this.#hindrance = hindranceOf(crds)
      for (const { name, finding, lacks } of crds) {
        observe(name, finding === 'missing' || lacks.length > 0)
      }
      this.#tell(crds)
    } catch (error) {
      // Who may not look at CRDs has to trust them; who could before, and cannot now, looks again.
      logger.warn({ message: messageOf(error) }, 'the CRDs cannot be looked at')
    }
  }

  /** Once for each change. */
  #tell(crds: readonly ServedCrd[]): void {
    const { logger } = this.#options
    const text = JSON.stringify(crds)
    if (text === this.#said) return
    this.#said = text
    for (const { name: crd, finding, lacks } of crds) {
      if (finding === 'missing') logger.error({ crd }, 'CRD is missing: apply crds/ of Weir')
      if (finding === 'other') logger.warn({ crd, lacks }, 'CRD is of another version of Weir')
    }
    const problem = this.#hindrance
    if (problem !== undefined) logger.error({ problem }, 'does not lead')
  }
}
