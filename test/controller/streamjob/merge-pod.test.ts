import { expect, test } from '@jest/globals'
import { mergePod } from '../../../src/controller/streamjob/merge-pod.ts'

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'j-jm-1-1', labels: { a: '1' } },
  spec: {
    containers: [
      { name: 'jobmanager', image: 'weir:1', env: [{ name: 'A', value: '1' }], command: ['node'] },
    ],
    tolerations: [{ key: 'x' }],
  },
}

test('a template is laid over the pod, named things by their names', () => {
  const merged = mergePod(pod, {
    spec: {
      nodeSelector: { disk: 'ssd' },
      containers: [
        { name: 'jobmanager', env: [{ name: 'B', value: '2' }], command: ['other'] },
        { name: 'sidecar', image: 'side:1' },
      ],
      tolerations: [{ key: 'y' }],
    },
  })
  expect(merged.spec).toEqual({
    nodeSelector: { disk: 'ssd' },
    containers: [
      {
        name: 'jobmanager',
        image: 'weir:1',
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
        command: ['other'],
      },
      { name: 'sidecar', image: 'side:1' },
    ],
    tolerations: [{ key: 'y' }],
  })
})

test('name and labels stay what the controller finds it by', () => {
  const template = { kind: 'Job', metadata: { name: 'mine', labels: { a: '2', b: '3' } } }
  expect(mergePod(pod, template)).toMatchObject({
    kind: 'Pod',
    metadata: { name: 'j-jm-1-1', labels: { a: '1', b: '3' } },
  })
})
