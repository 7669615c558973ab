/** The records of the Nexmark benchmark: an auction site's persons, auctions and bids. */
import { type Infer, record } from '../../schema/record.ts'
import { z } from '../../schema/z.ts'

const person = z.object({
  /** The event's number: of all kinds together, from 0. */
  n: z.int(),
  kind: z.literal('person'),
  id: z.int32(),
  name: z.string(),
  emailAddress: z.string(),
  creditCard: z.string(),
  city: z.string(),
  state: z.string(),
  dateTime: z.timestamp(),
  extra: z.string(),
})

const auction = z.object({
  n: z.int(),
  kind: z.literal('auction'),
  id: z.int32(),
  itemName: z.string(),
  description: z.string(),
  initialBid: z.int32(),
  reserve: z.int32(),
  dateTime: z.timestamp(),
  /** Bids up to and including this time count. */
  expires: z.timestamp(),
  /** A person's id. */
  seller: z.int32(),
  category: z.int32(),
  extra: z.string(),
})

const bid = z.object({
  n: z.int(),
  kind: z.literal('bid'),
  /** An auction's id; the auction may come later, or never. */
  auction: z.int32(),
  /** A person's id; likewise. */
  bidder: z.int32(),
  price: z.int32(),
  channel: z.string(),
  url: z.string(),
  dateTime: z.timestamp(),
  extra: z.string(),
})

/** Someone who opens an account: may sell and bid. */
export const NexmarkPerson = record(person)
/** Someone who opens an account: may sell and bid. */
export type NexmarkPerson = Infer<typeof NexmarkPerson>

/** An auction begins. */
export const NexmarkAuction = record(auction)
/** An auction begins. */
export type NexmarkAuction = Infer<typeof NexmarkAuction>

/** Someone bids on an auction. */
export const NexmarkBid = record(bid)
/** Someone bids on an auction. */
export type NexmarkBid = Infer<typeof NexmarkBid>

/** Any of the three; `kind` tells which. */
export const NexmarkEvent = record(z.discriminatedUnion('kind', [person, auction, bid]))
/** Any of the three; `kind` tells which. */
export type NexmarkEvent = NexmarkPerson | NexmarkAuction | NexmarkBid
