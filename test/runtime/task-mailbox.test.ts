import { expect, test } from '@jest/globals'
import { TaskMailbox } from '../../src/runtime/task-mailbox.ts'

test('actions run in order, with those that come meanwhile, and each wakes the task', () => {
  let woken = 0
  const done: string[] = []
  const mailbox = new TaskMailbox(() => woken++)
  mailbox.submit(() => {
    done.push('a')
    mailbox.submit(() => done.push('c'))
  })
  mailbox.submit(() => done.push('b'))
  expect(mailbox.isEmpty).toBe(false)
  mailbox.run(() => true)
  expect(done).toEqual(['a', 'b', 'c'])
  expect([woken, mailbox.isEmpty]).toEqual([3, true])
})

test('what may not run now stays for the next time', () => {
  const done: string[] = []
  const mailbox = new TaskMailbox(() => {})
  for (const name of ['a', 'b', 'c']) mailbox.submit(() => done.push(name))
  mailbox.run(() => done.length < 1)
  expect(done).toEqual(['a'])
  mailbox.run(() => true)
  expect(done).toEqual(['a', 'b', 'c'])
})
