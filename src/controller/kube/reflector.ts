/**
 * Keeps a cache like the API server, for ever: lists, watches from there on, and begins again
 * whatever ends it.
 *
 * R1: the version grows with each event; a watch goes on from it, and only a version that the
 *     server has forgotten (410) makes a new list.
 * R2: a connection without a byte for a while is dead, for bookmarks come each minute.
 */
import { Backoff, type BackoffOptions } from '../../common/backoff.ts'
import type { Clock } from '../../common/clock.ts'
import { isWeirError, messageOf } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import { Alarm } from './alarm.ts'
import type { KubeClient } from './kube-client.ts'
import { isKubeError, kubeErrors } from './kube-errors.ts'
import { isNewer, type KubeObject, keyOf } from './kube-object.ts'
import type { ObjectCache } from './object-cache.ts'
import { watchEvents } from './watch-events.ts'

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient<T>
  readonly cache: ObjectCache<T>
  readonly namespace?: string | undefined
  /** Labels that the objects have, as in `app=weir`. */
  readonly selector?: string | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly onRestart?: (reason: string) => void
  /** The audit found so many events that never came. */
  readonly onMissed?: (count: number) => void
}

const IDLE_MAX_MS = 90_000
const WATCH_MIN_S = 300
/** The server was asked for minutes. */
const WATCH_SHORT_MS = 5_000
const AUDIT_EVERY_MS = 1_800_000

const again: BackoffOptions = {
  initialDelayMs: 800,
  maxDelayMs: 30_000,
  factor: 2,
  jitter: 0.5,
  resetAfterMs: 120_000,
  attemptsMax: Number.POSITIVE_INFINITY,
}

export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>
  readonly #backoff: Backoff
  readonly #stop = new AbortController()
  readonly #synced: Promise<void>
  #markSynced: () => void = () => {}
  /** The server may not know how to begin a watch with a list. */
  #streamsLists = true
  #needsList = true
  #lastEventMs: number
  #auditedMs: number

  constructor(options: ReflectorOptions<T>) {
    this.#options = options
    this.#backoff = new Backoff(again, options.random)
    this.#synced = new Promise(resolve => (this.#markSynced = resolve))
    this.#lastEventMs = options.clock.monotonic()
    this.#auditedMs = this.#lastEventMs
  }

  /** The first list is in the cache. */
  get synced(): Promise<void> {
    return this.#synced
  }

  /** Time since the last news, bookmarks included. */
  get silentMs(): number {
    return this.#options.clock.monotonic() - this.#lastEventMs
  }

  stop(): void {
    this.#stop.abort(new Error('the controller stops'))
  }

  /** Comes back after {@link stop} only. */
  async run(): Promise<void> {
    const { signal } = this.#stop
    const { clock, onRestart } = this.#options
    let before: string | undefined
    while (!signal.aborted) {
      const reason = await this.#once()
      if (signal.aborted) return
      if (reason !== undefined) {
        onRestart?.(reason)
        // A version that is too old is no overload: a new list mends it.
        const isAtOnce = reason === 'WEIR_KUBE_EXPIRED' && before !== reason
        const delayMs = this.#backoff.failed(clock.monotonic()) ?? again.maxDelayMs
        if (!isAtOnce) await new Alarm(clock, signal).sleep(delayMs)
      }
      before = reason
    }
  }

  /** One list or one watch; gives why it should not simply go on. */
  async #once(): Promise<string | undefined> {
    const { clock } = this.#options
    const startedMs = clock.monotonic()
    try {
      if (this.#needsList && !this.#streamsLists) {
        await this.#list()
        return undefined
      }
      await this.#watch()
    } catch (error) {
      return this.#failed(error)
    }
    const isUsual = !this.#needsList && clock.monotonic() - startedMs >= WATCH_SHORT_MS
    return isUsual ? undefined : 'the watch ended early'
  }

  #failed(error: unknown): string {
    const { logger, client } = this.#options
    const reason = isWeirError(error) ? error.code : messageOf(error)
    if (isKubeError(error, 'WEIR_KUBE_EXPIRED')) this.#needsList = true
    // This server does not begin watches with a list.
    if (this.#needsList && isKubeError(error, 'WEIR_KUBE_INVALID')) this.#streamsLists = false
    const fields = { kind: client.kind.kind, reason, message: messageOf(error) }
    if (!this.#stop.signal.aborted) logger.warn(fields, 'watch begins again')
    return reason
  }

  async #list(): Promise<void> {
    const { cache } = this.#options
    const { items, version } = await this.#wholeList()
    cache.replace(items, version)
    this.#listed()
  }

  #listed(): void {
    this.#needsList = false
    this.#backoff.succeeded()
    this.#markSynced()
  }

  async #wholeList(): Promise<{ items: T[]; version: string }> {
    const { client, cache, namespace, selector } = this.#options
    const items: T[] = []
    let continueFrom: string | undefined
    let version = '0'
    do {
      const { signal } = this.#stop
      const page = await client.list({ namespace, selector, continueFrom, signal })
      for (const item of page.items) items.push(cache.slim(item))
      continueFrom = page.continueFrom
      version = page.resourceVersion
      this.#lastEventMs = this.#options.clock.monotonic()
    } while (continueFrom !== undefined)
    return { items, version }
  }

  async #watch(): Promise<void> {
    const { client, cache, namespace, selector, clock, random } = this.#options
    const connection = new AbortController()
    const stop = (): void => connection.abort(this.#stop.signal.reason)
    this.#stop.signal.addEventListener('abort', stop, { once: true })
    const watchdog = new Alarm(clock, connection.signal)
    const idle = (): void =>
      connection.abort(
        kubeErrors.WEIR_KUBE_UNREACHABLE({
          method: 'GET',
          path: `the watch of ${client.kind.plural}`,
          reason: `not a byte in ${IDLE_MAX_MS} ms`,
        }),
      )
    const feed = (): void => watchdog.set(IDLE_MAX_MS, idle)
    try {
      feed()
      const query = {
        watch: 'true',
        labelSelector: selector,
        allowWatchBookmarks: 'true',
        // Not all at once, or the server would be asked by all at once.
        timeoutSeconds: WATCH_MIN_S + random.int(WATCH_MIN_S),
        ...(this.#needsList
          ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
          : { resourceVersion: cache.version }),
      }
      const bytes = await client.watch(query, { namespace, signal: connection.signal })
      await this.#follow(watched(bytes, feed))
    } catch (error) {
      throw connection.signal.aborted ? connection.signal.reason : error
    } finally {
      watchdog.clear()
      this.#stop.signal.removeEventListener('abort', stop)
      connection.abort(new Error('the watch is over'))
    }
  }

  async #follow(bytes: AsyncIterable<Buffer>): Promise<void> {
    const { cache, clock } = this.#options
    const { apiVersion, kind } = this.#options.client.kind
    /** What came before the end of the list; `undefined` after it. */
    let initial: Map<string, T> | undefined = this.#needsList ? new Map() : undefined
    for await (const event of watchEvents<T>(bytes)) {
      this.#lastEventMs = clock.monotonic()
      if (event.type === 'BOOKMARK') {
        if (initial === undefined) cache.bookmark(event.version)
        else if (event.endsInitialEvents) {
          cache.replace([...initial.values()], event.version)
          initial = undefined
          this.#listed()
        }
        await this.#auditWhenDue()
        continue
      }
      // A whole list of them is held until its end.
      const object = cache.slim({ ...event.object, apiVersion, kind })
      if (initial !== undefined) {
        if (event.type === 'DELETED') initial.delete(keyOf(object.metadata))
        else initial.set(keyOf(object.metadata), object)
        continue
      }
      if (event.type === 'DELETED') cache.end(object)
      else cache.set(object)
      const { resourceVersion } = object.metadata
      const isNews = resourceVersion !== undefined && isNewer(resourceVersion, cache.version)
      if (isNews) cache.reach(resourceVersion)
      this.#backoff.succeeded()
    }
  }

  async #auditWhenDue(): Promise<void> {
    const { clock } = this.#options
    if (clock.monotonic() - this.#auditedMs < AUDIT_EVERY_MS) return
    this.#auditedMs = clock.monotonic()
    await this.audit()
  }

  /** Compares the cache with a fresh list: an event that never came is a defect of somebody. */
  async audit(): Promise<number> {
    const { cache, onMissed, logger, client } = this.#options
    const known = cache.version
    const { items, version } = await this.#wholeList()
    const missed = items.filter(item => {
      const held = cache.get(keyOf(item.metadata))?.metadata.resourceVersion
      const { resourceVersion } = item.metadata
      const isDue = known !== undefined && !isNewer(resourceVersion, known)
      return isDue && (held === undefined || isNewer(resourceVersion, held))
    }).length
    if (missed > 0) logger.error({ kind: client.kind.kind, missed }, 'events never came')
    onMissed?.(missed)
    cache.replace(items, version)
    return missed
  }
}

async function* watched(bytes: AsyncIterable<Buffer>, feed: () => void): AsyncGenerator<Buffer> {
  for await (const piece of bytes) {
    feed()
    yield piece
  }
}
