import { expect, test } from '@jest/globals'
import {
  type CpuProfile,
  flameTree,
  hottestFunctions,
  type ProfileNode,
} from '../../src/cluster/profile-tree.ts'

function node(id: number, functionName: string, children: readonly number[] = []): ProfileNode {
  const isCode = !functionName.startsWith('(')
  const url = isCode ? 'file:///job.js' : ''
  return { id, callFrame: { functionName, url, lineNumber: isCode ? id : -1 }, children }
}

/** 10 ms in main, 30 in work as main calls it, 20 in work as other calls it, 40 idle. */
const profile: CpuProfile = {
  nodes: [
    node(1, '(root)', [2, 4, 6]),
    node(2, 'main', [3]),
    node(3, 'work'),
    node(4, 'other', [5]),
    { ...node(5, 'work'), callFrame: node(3, 'work').callFrame },
    node(6, '(idle)'),
  ],
  samples: [2, 3, 5, 6, 6],
  timeDeltas: [0, 10_000, 30_000, 20_000, 40_000],
}

test('a sample stands for the time until the next one', () => {
  const root = flameTree(profile)
  expect(root).toMatchObject({ name: '(root)', selfMs: 0, totalMs: 100 })
  expect(root.children.map(({ name, totalMs }) => [name, totalMs])).toEqual([
    ['main', 40],
    ['(idle)', 40],
    ['other', 20],
  ])
  expect(root.children[0]?.children).toEqual([
    { name: 'work', file: '/job.js', line: 4, selfMs: 30, totalMs: 30, children: [] },
  ])
})

test('a function is hot over all places that call it', () => {
  expect(hottestFunctions(profile).map(({ name, selfMs, share }) => [name, selfMs, share])).toEqual(
    [
      ['work', 50, 0.5],
      ['(idle)', 40, 0.4],
      ['main', 10, 0.1],
    ],
  )
})

test('what took hardly any time is left out', () => {
  const timeDeltas = [0, 10_000_000, 1, 20_000, 40_000]
  const root = flameTree({ ...profile, timeDeltas })
  expect(root.children.map(child => child.name)).toEqual(['main', '(idle)'])
  expect(root.children[0]?.children).toEqual([])
})

test('an empty profile is an empty tree', () => {
  expect(flameTree({ nodes: [] })).toMatchObject({ name: '(root)', totalMs: 0 })
  expect(hottestFunctions({ nodes: [node(1, '(root)')] })).toEqual([])
})
