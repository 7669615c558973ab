/** The async operator: a list of what is under way, looked through after every op. */
import { type Op, type Row, timeOf, timeRow, timestampRow } from '../vectors.ts'

interface Request {
  readonly ts: number
  readonly started: number
  values: readonly number[] | undefined
}

interface Mark {
  readonly watermark: number
}

export class AsyncModel {
  readonly #ordered: boolean
  readonly #timeout: number
  #clock = 0
  #queue: (Request | Mark)[] = []
  readonly #requests = new Map<number, Request>()

  constructor({ mode, timeout }: { readonly mode: string; readonly timeout: number }) {
    this.#ordered = mode === 'ordered'
    this.#timeout = timeout
  }

  run([kind, first, second]: Op): Row[] {
    if (kind === 'w') this.#queue.push({ watermark: timeOf(first) })
    else if (kind === 'p') this.#clock = first as number
    else if (kind === 'e') {
      const request: Request = { ts: timeOf(first), started: this.#clock, values: undefined }
      this.#queue.push(request)
      this.#requests.set(second as number, request)
    } else {
      const request = this.#requests.get(first as number)
      if (request !== undefined) request.values ??= second as number[]
    }
    if (this.#timeout > 0) this.#expire()
    return this.#take()
  }

  #expire(): void {
    for (const [id, request] of this.#requests) {
      if (request.started + this.#timeout <= this.#clock) request.values ??= [-id]
    }
  }

  /** What may go out: from the head in order, or all up to the first watermark that must wait. */
  #take(): Row[] {
    const rows: Row[] = []
    const left: (Request | Mark)[] = []
    let mayPass = true
    for (const item of this.#queue) {
      if ('watermark' in item) {
        mayPass &&= left.length === 0
        if (mayPass) rows.push(['w', timeRow(item.watermark)])
        else left.push(item)
      } else if (mayPass && item.values !== undefined) {
        rows.push(...item.values.map((value): Row => ['r', timestampRow(item.ts), value]))
      } else {
        left.push(item)
        if (this.#ordered) mayPass = false
      }
    }
    this.#queue = left
    return rows
  }
}
