import { expect, test } from '@jest/globals'
import { AttemptTasks } from '../../../src/cluster/jobmanager/attempt-tasks.ts'

test('says when the last subtask has come so far', () => {
  const tasks = new AttemptTasks(['a/0', 'a/1'])
  expect(tasks.reached('a/0', 'running')).toBe(false)
  // One may be far ahead of the others.
  expect(tasks.reached('a/0', 'drained')).toBe(false)
  expect(tasks.reached('a/1', 'running')).toBe(true)
  expect(tasks.all('drained')).toBe(false)
  expect(tasks.reached('a/1', 'drained')).toBe(true)
})

test('a subtask never goes back, and strangers are refused', () => {
  const tasks = new AttemptTasks(['a/0'])
  tasks.reached('a/0', 'drained')
  expect(() => tasks.reached('a/0', 'running')).toThrow('a/0 goes from drained to running')
  expect(() => tasks.reached('b/0', 'running')).toThrow('b/0 is a subtask of the job')
})

test('a subtask that starts again has all steps before it', () => {
  const tasks = new AttemptTasks(['a/0', 'a/1'])
  tasks.reached('a/0', 'drained')
  tasks.reached('a/1', 'running')
  tasks.startedAgain(['a/0'])
  expect(tasks.all('running')).toBe(false)
  expect(tasks.reached('a/0', 'running')).toBe(true)
  expect(() => tasks.startedAgain(['b/0'])).toThrow('b/0 is a subtask of the job')
})
