/** Reads a stored checkpoint of the bank back, whole: what a restart would find in it. */
import { METADATA_FILE } from '../../checkpoint/checkpoint-layout.ts'
import type { EdgeMetadata, OperatorMetadata } from '../../checkpoint/checkpoint-metadata.ts'
import { readMetadata } from '../../checkpoint/metadata-text.ts'
import { checkSection } from '../../checkpoint/state-file.ts'
import { assertDefined } from '../../common/assert.ts'
import { type Bank, INITIAL_BALANCE } from './bank.ts'
import type { BankSplit } from './bank-job.ts'
import { decodeRecords } from './restored-records.ts'
import type { SimRecord } from './sim-exchange.ts'
import type { StoredBalances } from './sum-logic.ts'

export interface StoredCut {
  /** By split: transfers before the cut. */
  readonly offsets: readonly number[]
  /** By split: what the checkpoint's proof says. */
  readonly proven: readonly number[]
  /** What the proof says that its sinks have written. */
  readonly provenWritten: number
  /** Records in flight: each becomes one that a sink writes. */
  readonly underWay: number
  /** What it says of the transactions that it commits: records by name. */
  readonly provenTransactions: Readonly<Record<string, number>>
  /** By account, with what is in flight to it. */
  readonly balances: readonly number[]
  /** Splits that stand in it more than once. */
  readonly doubled: readonly number[]
  /** What its sinks have prepared and not yet committed. */
  readonly transactions: readonly string[]
}

/** Throws when a restart could not read it. `folder`: of a checkpoint or savepoint. */
export function readStoredCut(
  objects: ReadonlyMap<string, Buffer>,
  bank: Bank,
  folder: string,
): StoredCut {
  const read = (name: string): Buffer =>
    assertDefined(objects.get(`${folder}/${name}`), `${folder}/${name} is in the store`)
  const metadata = readMetadata(read(METADATA_FILE), { path: folder, previous: undefined })
  const byUid = new Map(metadata.operators.map(operator => [operator.uid, operator]))
  const source = assertDefined(byUid.get('transfers'), 'the source is in the checkpoint')
  // A job in slices has none.
  const sum = byUid.get('balances')
  const sink = assertDefined(byUid.get('bookings'), 'the sink is in the checkpoint')
  const underWay = recordsUnderWay(metadata.edges, read)
  const inFlight = sumsOf(underWay)
  const { recordsPerSplit, recordsPerSink, recordsPerTransaction } = metadata.proof
  const counts = recordsPerSplit[source.operatorId] ?? {}
  return {
    ...offsetsOf(source, bank),
    proven: bank.splits.map((_, split) => counts[`split-${split}`] ?? 0),
    provenWritten: recordsPerSink[sink.operatorId] ?? 0,
    underWay: underWay.length,
    provenTransactions: recordsPerTransaction[sink.operatorId] ?? {},
    balances: balancesOf(sum?.subtasks ?? [], bank, read).map((balance, account) => {
      return balance + (inFlight.get(account) ?? 0)
    }),
    transactions: sink.subtasks.flatMap(part =>
      (part.committables ?? []).map(({ committable }) => committable as string),
    ),
  }
}

function offsetsOf(source: OperatorMetadata, bank: Bank): Pick<StoredCut, 'offsets' | 'doubled'> {
  const waiting = (source.enumeratorState ?? []) as unknown as readonly BankSplit[]
  const read = source.subtasks.flatMap(part => (part.splits ?? []) as readonly BankSplit[])
  const offsets = bank.splits.map(transfers => transfers.length)
  const seen = new Set<number>()
  const doubled: number[] = []
  for (const { split, offset } of [...waiting, ...read]) {
    if (seen.has(split)) doubled.push(split)
    seen.add(split)
    offsets[split] = offset
  }
  return { offsets, doubled }
}

function recordsUnderWay(
  edges: readonly EdgeMetadata[],
  read: (file: string) => Buffer,
): readonly SimRecord[] {
  const records: SimRecord[] = []
  for (const { file, section } of edges.flatMap(edge => edge.channels)) {
    if (section === undefined) continue
    const path = assertDefined(file, 'what is in flight has a file')
    const bytes = read(path).subarray(section.offset, section.offset + section.length)
    checkSection(bytes, section, { path, previous: undefined })
    records.push(...decodeRecords(bytes))
  }
  return records
}

/** What legs on their way will add, by account. */
function sumsOf(underWay: readonly SimRecord[]): ReadonlyMap<number, number> {
  const sums = new Map<number, number>()
  for (const record of underWay) {
    if (record.kind !== 'leg') continue
    const { account, delta } = record.leg
    sums.set(account, (sums.get(account) ?? 0) + delta)
  }
  return sums
}

function balancesOf(
  sums: OperatorMetadata['subtasks'],
  bank: Bank,
  read: (file: string) => Buffer,
): readonly number[] {
  const balances = Array.from({ length: bank.accounts }, () => INITIAL_BALANCE)
  for (const { keyed, privateState } of sums) {
    if (keyed === undefined || keyed.groups.length === 0) continue
    const file = assertDefined(privateState, 'stored groups have a file').file
    const bytes = read(file)
    for (const group of keyed.groups) {
      const section = bytes.subarray(group.offset, group.offset + group.length)
      checkSection(section, group, { path: file, previous: undefined })
      for (const [account, balance] of JSON.parse(section.toString()) as StoredBalances) {
        balances[account] = balance
      }
    }
  }
  return balances
}
