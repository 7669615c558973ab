/** The fields that each query reads: what a lazy parse may skip. */
const KIND = ['kind', 'dateTime']

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  q0: [...KIND, 'auction', 'bidder', 'price', 'extra'],
  q1: [...KIND, 'auction', 'bidder', 'price', 'extra'],
  q2: [...KIND, 'auction', 'price'],
  q3: [...KIND, 'id', 'name', 'city', 'state', 'seller', 'category'],
  q4: [...KIND, 'n', 'id', 'auction', 'expires', 'seller', 'category', 'bidder', 'price'],
  q5: [...KIND, 'auction'],
  q7: [...KIND, 'auction', 'bidder', 'price', 'extra'],
  q8: [...KIND, 'id', 'name', 'seller'],
  q9: [...KIND, 'n', 'id', 'auction', 'expires', 'seller', 'category', 'bidder', 'price'],
  q11: [...KIND, 'bidder'],
  cep: [...KIND, 'n', 'bidder', 'price'],
  json: ['auction', 'price'],
}

/** `undefined`: the query reads every field. */
export function lazyFields(query: string): readonly string[] | undefined {
  return FIELDS[query]
}
