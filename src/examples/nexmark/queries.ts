/** The queries over the event stream, by name. */
import { cep } from './cep-rising-prices.ts'
import type { NexmarkQuery } from './nexmark-query.ts'
import { q3 } from './q3-local-items.ts'
import { q5 } from './q5-hot-items.ts'
import { q7 } from './q7-highest-bid.ts'
import { q8 } from './q8-new-users.ts'
import { q11 } from './q11-user-sessions.ts'
import { q18 } from './q18-last-bid.ts'
import { q20 } from './q20-expanded-bids.ts'
import { q0, q1, q2 } from './stateless.ts'
import { q4, q9 } from './winning-bids.ts'

export const queries: readonly NexmarkQuery[] = [
  q0,
  q1,
  q2,
  q3,
  q4,
  q5,
  q7,
  q8,
  q9,
  q11,
  q18,
  q20,
  cep,
]
