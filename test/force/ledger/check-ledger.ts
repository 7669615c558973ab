/**
 * The judge of a run of the ledger job: what a reader of committed records sees must follow from
 * the transfers alone. Gives one sentence for each thing that is wrong.
 */
export interface Transfer {
  readonly id: number
  readonly from: number
  readonly to: number
  readonly amount: number
}

export interface Entry {
  readonly account: number
  readonly transfer: number
  readonly amount: number
  readonly balance: number
}

/** `count`: how many transfers the job itself was to make up; they have the first numbers. */
export function checkTransfers(transfers: readonly Transfer[], count: number): readonly string[] {
  const times = new Array<number>(count).fill(0)
  for (const { id } of transfers) {
    if (id < count) times[id] = (times[id] ?? 0) + 1
  }
  return times.flatMap((seen, id) =>
    seen === 1 ? [] : [`transfer ${id} is in the input ${seen} times`],
  )
}

/** `entries`: those of one account in the order in which they can be read. */
export function checkLedger(
  transfers: readonly Transfer[],
  entries: readonly Entry[],
): readonly string[] {
  const wrong: string[] = []
  /** How often each side must still come. */
  const missing = new Map<string, number>()
  const expect = (side: string): void => void missing.set(side, (missing.get(side) ?? 0) + 1)
  for (const { id, from, to, amount } of transfers) {
    expect(sideOf(id, from, -amount))
    expect(sideOf(id, to, amount))
  }
  const balances = new Map<number, number>()
  for (const { account, transfer, amount, balance } of entries) {
    const side = sideOf(transfer, account, amount)
    const times = missing.get(side)
    if (times === undefined) wrong.push(`${side}: no transfer says so`)
    else missing.set(side, times - 1)
    const wanted = (balances.get(account) ?? 0) + amount
    if (balance !== wanted) {
      wrong.push(`account ${account} has ${balance} after transfer ${transfer}, not ${wanted}`)
    }
    balances.set(account, balance)
  }
  for (const [side, times] of missing) {
    if (times > 0) wrong.push(`${side}: ${times} times too few in the ledger`)
    if (times < 0) wrong.push(`${side}: ${-times} times too many in the ledger`)
  }
  const money = [...balances.values()].reduce((sum, balance) => sum + balance, 0)
  if (money !== 0) wrong.push(`all balances together are ${money}`)
  return wrong
}

function sideOf(transfer: number, account: number, amount: number): string {
  return `transfer ${transfer}, account ${account}, ${amount}`
}
