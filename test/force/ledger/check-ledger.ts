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

/** `count`: how many transfers were to be made up. */
export function checkTransfers(transfers: readonly Transfer[], count: number): readonly string[] {
  const wrong: string[] = []
  const times = new Uint8Array(count)
  for (const { id } of transfers) {
    if (id >= 0 && id < count) times[id] = (times[id] ?? 0) + 1
    else wrong.push(`transfer ${id} was never made up`)
  }
  times.forEach((seen, id) => {
    if (seen !== 1) wrong.push(`transfer ${id} is in the input ${seen} times`)
  })
  return wrong
}

/** `entries`: those of one account in the order in which they can be read. */
export function checkLedger(
  transfers: readonly Transfer[],
  entries: readonly Entry[],
): readonly string[] {
  const wrong: string[] = []
  const expected = new Map<string, number>()
  for (const { id, from, to, amount } of transfers) {
    expected.set(sideOf(id, from, -amount), 0)
    expected.set(sideOf(id, to, amount), 0)
  }
  const balances = new Map<number, number>()
  for (const { account, transfer, amount, balance } of entries) {
    const side = sideOf(transfer, account, amount)
    const times = expected.get(side)
    if (times === undefined) wrong.push(`${side}: no transfer says so`)
    else expected.set(side, times + 1)
    const wanted = (balances.get(account) ?? 0) + amount
    if (balance !== wanted) {
      wrong.push(`account ${account} has ${balance} after transfer ${transfer}, not ${wanted}`)
    }
    balances.set(account, balance)
  }
  for (const [side, times] of expected) {
    if (times !== 1) wrong.push(`${side}: ${times} times in the ledger`)
  }
  const money = [...balances.values()].reduce((sum, balance) => sum + balance, 0)
  if (money !== 0) wrong.push(`all balances together are ${money}`)
  return wrong
}

function sideOf(transfer: number, account: number, amount: number): string {
  return `transfer ${transfer}, account ${account}, ${amount}`
}
