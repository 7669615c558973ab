import { expect, test } from '@jest/globals'
import { networkSamples } from '../../../../src/cluster/jobmanager/rest/network-samples.ts'
import type {
  ObservedJob,
  TaskManagerView,
} from '../../../../src/cluster/jobmanager/rest/observed-job.ts'

type Network = NonNullable<TaskManagerView['network']>

function samplesOf(networks: readonly (Network | null)[]) {
  const taskManagers = () => networks.map((network, slot) => ({ slot, network }))
  return networkSamples({ job: { taskManagers } } as unknown as ObservedJob)
}

const network: Network = {
  bytesSent: 1,
  bytesReceived: 2,
  framesSent: 3,
  framesReceived: 4,
  edges: [
    {
      edge: 'a->b/0',
      input: { queuedFrames: 5, credits: 6, usage: 0.5, frameBytes: 1_024 },
      output: null,
    },
  ],
}

test('each process, and each edge of it, by name; a side without channels is left out', () => {
  const samples = samplesOf([network, null])
  const labels = { process: 'taskmanager-0', edge: 'a->b/0' }
  expect(samples).toHaveLength(8)
  expect(samples).toContainEqual({
    name: 'weir_network_received_bytes_total',
    labels: { process: 'taskmanager-0' },
    value: 2,
  })
  expect(samples).toContainEqual({ name: 'weir_network_input_credits', labels, value: 6 })
  expect(samples.filter(({ name }) => name.includes('output'))).toEqual([])
})

test('none before the first figures, and none within one process', () => {
  expect(samplesOf([null])).toEqual([])
  expect(networkSamples({ job: {} } as unknown as ObservedJob)).toEqual([])
})
