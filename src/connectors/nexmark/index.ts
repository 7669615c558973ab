export { NexmarkAuction, NexmarkBid, NexmarkEvent, NexmarkPerson } from './nexmark-events.ts'
export { type NexmarkOptions, nexmarkBids, nexmarkEvents, nexmarkWords } from './nexmark-source.ts'
