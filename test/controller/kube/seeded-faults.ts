/** What a network and a busy server do to requests and watches, as a seed has it. */
import type { Random } from '../../../src/common/random.ts'
import type { KubeFault, KubeFaultOf } from './kube-proxy.ts'

export const onWatches: readonly KubeFault[] = [
  'busy',
  'throttled',
  'expired-token',
  'gone',
  'cut',
  'garbage',
  'doubled',
  'reordered',
]
const onRequests: readonly KubeFault[] = [
  'busy',
  'throttled',
  'expired-token',
  'lost',
  'late-500',
  'torn',
  'slow',
]

/** All faults in turn, over all seeds: each is done, whichever requests there are. */
const turns = { watch: 0, request: 0 }

/** `share` of all requests is struck. */
export function seededFaults(random: Random, share = 0.6): KubeFaultOf {
  return ({ isWatch }) => {
    if (random.next() >= share) return undefined
    const faults = isWatch ? onWatches : onRequests
    return faults[turns[isWatch ? 'watch' : 'request']++ % faults.length]
  }
}
