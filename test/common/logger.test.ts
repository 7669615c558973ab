import { expect, test } from '@jest/globals'
import { makeLogger } from '../../src/common/logger.ts'

test('writes one line of JSON: level, time, fields, constant message', () => {
  const lines: string[] = []
  const log = makeLogger({ level: 'info', write: line => void lines.push(line) })
  log.child({ jobId: 'a' }).info({ checkpointId: 812 }, 'checkpoint completed')
  log.debug({}, 'too quiet')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/\n$/)
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    jobId: 'a',
    checkpointId: 812,
    msg: 'checkpoint completed',
  })
})

test('an error field carries message and stack', () => {
  const lines: string[] = []
  const log = makeLogger({ level: 'error', write: line => void lines.push(line) })
  log.error({ err: new Error('broken') }, 'task failed')
  expect(JSON.parse(lines[0] ?? '').err).toMatchObject({ message: 'broken', type: 'Error' })
})
