/** Event times of channels: JSON knows no infinities. */
import type { ChannelMarkHandle } from '../checkpoint/snapshot-handle.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'
import type { ChannelMark } from '../runtime/watermark-valve.ts'

export function markHandle({ watermark, status }: ChannelMark): ChannelMarkHandle {
  const idle = status === 'idle'
  if (watermark === MIN_TIMESTAMP) return { watermark: 'none', idle }
  return { watermark: watermark === MAX_TIMESTAMP ? 'end' : watermark, idle }
}

export function markOf({ watermark, idle }: ChannelMarkHandle): ChannelMark {
  const status = idle ? 'idle' : 'active'
  if (watermark === 'none') return { watermark: MIN_TIMESTAMP, status }
  return { watermark: watermark === 'end' ? MAX_TIMESTAMP : watermark, status }
}
