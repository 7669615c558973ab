/** What transactions a broker knows, and in what state. These requests have no plain versions. */
import type { BrokerRequest } from './broker-connection.ts'
import type { TransactionIdentity } from './produce-requests.ts'

export interface ListedTransaction {
  readonly transactionalId: string
  readonly state: string
}

export interface DescribedTransaction extends TransactionIdentity {
  readonly errorCode: number
  readonly state: string
}

/** Those that this broker coordinates and that are in one of the states. */
export function listTransactionsRequest(
  states: readonly string[],
): BrokerRequest<readonly ListedTransaction[]> {
  const parts = [varint(states.length + 1), ...states.flatMap(compact), varint(1), varint(0)]
  return {
    name: 'ListTransactions',
    key: 66,
    version: 0,
    flexible: true,
    body: Buffer.concat(parts),
    read: answer => {
      answer.int32()
      answer.int16()
      answer.compactList(() => answer.compactString())
      return answer.compactList(() => {
        const transactionalId = answer.compactString() ?? ''
        answer.int64()
        const state = answer.compactString() ?? ''
        answer.tags()
        return { transactionalId, state }
      })
    },
  }
}

export function describeTransactionRequest(
  transactionalId: string,
): BrokerRequest<DescribedTransaction | undefined> {
  return {
    name: 'DescribeTransactions',
    key: 65,
    version: 0,
    flexible: true,
    body: Buffer.concat([varint(2), ...compact(transactionalId), varint(0)]),
    read: answer => {
      answer.int32()
      const [first] = answer.compactList(() => {
        const errorCode = answer.int16()
        const id = answer.compactString() ?? ''
        const state = answer.compactString() ?? ''
        answer.int32()
        answer.int64()
        const producerId = answer.bigint64()
        const producerEpoch = answer.int16()
        answer.compactList(() => {
          answer.compactString()
          answer.compactList(() => answer.int32())
          answer.tags()
        })
        answer.tags()
        return { errorCode, transactionalId: id, state, producerId, producerEpoch }
      })
      return first
    },
  }
}

function compact(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  return [varint(bytes.length + 1), bytes]
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}
