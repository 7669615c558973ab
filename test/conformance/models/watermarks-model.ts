/** Watermark generators with idleness, and the merging of watermarks over splits. */
import { type Op, type Row, timeRow } from '../vectors.ts'

export interface GeneratorVector {
  readonly outOfOrderness?: number
  readonly interval: number
  readonly idleness?: number
}

export class GeneratorModel {
  readonly #vector: GeneratorVector
  #greatest = Number.NEGATIVE_INFINITY
  #sent = Number.NEGATIVE_INFINITY
  #due: number
  #newRecord = false
  #silentSince = 0
  #isIdle = false

  constructor(vector: GeneratorVector) {
    this.#vector = vector
    this.#due = vector.interval
  }

  run([kind, first]: Op): Row[] {
    if (kind === 'e') {
      this.#greatest = Math.max(this.#greatest, first as number)
      this.#newRecord = true
      return []
    }
    if (kind === 'w') return first === 'MAX' ? this.#send(Number.POSITIVE_INFINITY) : []
    const now = first as number
    if (now < this.#due) return []
    this.#due = now + this.#vector.interval
    return this.#periodic(now)
  }

  #periodic(now: number): Row[] {
    const { idleness = 0, outOfOrderness = 0 } = this.#vector
    if (idleness > 0) {
      if (this.#newRecord) this.#silentSince = 0
      else if (this.#silentSince === 0) this.#silentSince = now
      else if (now - this.#silentSince > idleness) {
        const rows: Row[] = this.#isIdle ? [] : [['idle']]
        this.#isIdle = true
        return rows
      }
      this.#newRecord = false
    }
    return this.#send(this.#greatest - outOfOrderness - 1)
  }

  #send(watermark: number): Row[] {
    if (watermark <= this.#sent) return []
    this.#sent = watermark
    const rows: Row[] = this.#isIdle ? [['active']] : []
    this.#isIdle = false
    return [...rows, ['w', timeRow(watermark)]]
  }
}

interface Split {
  watermark: number
  idle: boolean
}

export class MultiplexerModel {
  readonly #splits = new Map<unknown, Split>()
  #sent = Number.NEGATIVE_INFINITY

  run([kind, id, when, time]: Op): Row[] {
    if (kind === 'periodic') return this.#combine()
    const split = this.#splits.get(id)
    if (kind === 'unregister') this.#splits.delete(id)
    if (kind === 'register' && split === undefined) {
      this.#splits.set(id, { watermark: Number.NEGATIVE_INFINITY, idle: false })
    }
    if (split === undefined || kind === 'register' || kind === 'unregister') return []
    split.idle = kind === 'idle'
    if (kind !== 'wm') return when === 'now' ? this.#combine() : []
    const raised = (time as number) > split.watermark
    if (raised) split.watermark = time as number
    return when === 'now' && raised && split.watermark > this.#sent ? this.#combine() : []
  }

  #combine(): Row[] {
    const all = [...this.#splits.values()]
    if (all.length === 0) return []
    const active = all.filter(({ idle }) => !idle)
    const times = (active.length > 0 ? active : all).map(({ watermark }) => watermark)
    const combined = active.length > 0 ? Math.min(...times) : Math.max(...times)
    const rows: Row[] = combined > this.#sent ? [['w', timeRow(combined)]] : []
    this.#sent = Math.max(this.#sent, combined)
    return active.length > 0 ? rows : [...rows, ['idle']]
  }
}
