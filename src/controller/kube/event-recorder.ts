/** Writes Kubernetes events about objects. An event that cannot be written holds nothing up. */
import type { Clock } from '../../common/clock.ts'
import { messageOf } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import { redactText } from '../../common/redact.ts'
import { EventBudget, type EventSeries, type EventWords } from './event-series.ts'
import type { KubeClient } from './kube-client.ts'
import type { KubeObject } from './kube-object.ts'
import { microTime } from './lease.ts'

export interface RecorderOptions {
  readonly client: KubeClient
  /** `weir.dev/controller` */
  readonly controller: string
  readonly instance: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const NOTE_CHARS_MAX = 1_000

export class EventRecorder {
  readonly #options: RecorderOptions
  readonly #budget: EventBudget
  #writing: Promise<void> = Promise.resolve()

  constructor(options: RecorderOptions) {
    this.#options = options
    this.#budget = new EventBudget(() => options.random.uuid())
  }

  /** Everything recorded so far is written, or given up. */
  get written(): Promise<void> {
    return this.#writing
  }

  readonly record = (object: KubeObject, words: EventWords): void => {
    const step = this.#budget.decide(object, words, this.#options.clock.now())
    if (step.kind === 'drop') return
    const write = step.kind === 'create' ? this.#create : this.#count
    this.#writing = this.#writing.then(async () => {
      try {
        await write.call(this, object, words, step.series)
      } catch (error) {
        this.#options.logger.warn({ message: messageOf(error) }, 'event not written')
      }
    })
  }

  async #create(object: KubeObject, words: EventWords, series: EventSeries): Promise<void> {
    const { client, controller, instance } = this.#options
    const { apiVersion, kind, metadata } = object
    const { namespace = 'default', name, uid } = metadata
    const event = {
      apiVersion: client.kind.apiVersion,
      kind: client.kind.kind,
      metadata: { namespace, name: `${name}.${series.name}` },
      eventTime: microTime(series.firstMs),
      reportingController: controller,
      reportingInstance: instance,
      regarding: { apiVersion, kind, namespace, name, uid },
      type: words.type,
      reason: words.reason,
      action: words.action,
      note: redactText(words.note).slice(0, NOTE_CHARS_MAX),
    }
    await client.create(event)
  }

  async #count(object: KubeObject, _words: EventWords, series: EventSeries): Promise<void> {
    const { namespace = 'default', name } = object.metadata
    const value = { count: series.count, lastObservedTime: microTime(series.lastMs) }
    const ref = { namespace, name: `${name}.${series.name}` }
    await this.#options.client.patch(ref, [{ op: 'add', path: '/series', value }])
  }
}
