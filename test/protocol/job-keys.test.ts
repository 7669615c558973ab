import { expect, test } from '@jest/globals'
import { epochKey, linkKey } from '../../src/protocol/job-keys.ts'

const master = 'the master key of this installation'
const job = { uid: '7d1f', epoch: 3 }

test('the same parts always give the same keys: jobs outlive the version that made them', () => {
  expect(epochKey(master, job)).toMatchInlineSnapshot(
    `"fb7ff51e8e56006082421b6bfbfe8cdd8302ccaf04d5663a67619ba9116ab2bc"`,
  )
  const { secret, name } = linkKey(epochKey(master, job))
  expect(secret.toString('hex')).toMatchInlineSnapshot(
    `"3234ebcadf713cbbf90d958e5ba0358a934b9298b2a0efb54e56bd376b3f3b31"`,
  )
  expect(name).toMatchInlineSnapshot(`"ed5f32edffcb7218"`)
})

test('another part gives another key', () => {
  const keys = [
    epochKey(master, job),
    epochKey(`${master}!`, job),
    epochKey(master, { ...job, epoch: 4 }),
    epochKey(master, { ...job, uid: '7d1e' }),
  ]
  expect(new Set(keys).size).toBe(keys.length)
  expect(new Set(keys.map(key => linkKey(key).name)).size).toBe(keys.length)
})
