/** A record of Kafka with all its parts, for readers that want more than its value. */
export interface KafkaMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch: the producer's, or the broker's where the topic says so. */
  readonly timestamp: number
  /** Shares memory with others of its batch: copy what outlives the call. */
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly KafkaHeader[]
}

/** A name may come several times. */
export interface KafkaHeader {
  readonly name: string
  readonly value: Buffer | null
}

/** Reads the headers of a record from where they begin. */
export function readHeaders(bytes: Buffer, start: number): readonly KafkaHeader[] {
  let at = start
  const varint = (): number => {
    let value = 0
    let byte = 0x80
    for (let shift = 0; byte >= 0x80; shift += 7) {
      byte = bytes[at++] as number
      value |= (byte & 0x7f) << shift
    }
    return (value >>> 1) ^ -(value & 1)
  }
  const take = (length: number): Buffer => {
    at += length
    return bytes.subarray(at - length, at)
  }
  return Array.from({ length: Math.max(0, varint()) }, () => {
    const name = take(varint()).toString()
    const length = varint()
    return { name, value: length < 0 ? null : take(length) }
  })
}
