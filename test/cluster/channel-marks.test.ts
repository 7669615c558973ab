import { expect, test } from '@jest/globals'
import { markHandle, markOf } from '../../src/cluster/channel-marks.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../src/common/timestamps.ts'

test.each([
  [MIN_TIMESTAMP, 'none'],
  [MAX_TIMESTAMP, 'end'],
  [-3.5, -3.5],
] as const)('a watermark of %d survives JSON as %s', (watermark, stored) => {
  for (const status of ['active', 'idle'] as const) {
    const handle = JSON.parse(JSON.stringify(markHandle({ watermark, status })))
    expect(handle).toEqual({ watermark: stored, idle: status === 'idle' })
    expect(markOf(handle)).toEqual({ watermark, status })
  }
})
