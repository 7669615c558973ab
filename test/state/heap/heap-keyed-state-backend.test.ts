import { describe } from '@jest/globals'
import { makeHeapBackend } from '../../../src/state/heap/heap-keyed-state-backend.ts'
import { keyedStateBackendContract } from '../../contract/keyed-state-backend.ts'
import { keyedStateModelContract } from '../../contract/keyed-state-model.ts'

describe('the heap backend keeps the contract', () => {
  keyedStateBackendContract(place => makeHeapBackend({ operatorName: 'contract', ...place }))
  keyedStateModelContract(place => makeHeapBackend({ operatorName: 'model', ...place }))

  describe('with values that are soon encoded', () => {
    const encodedFrom = 64
    keyedStateModelContract(place =>
      makeHeapBackend({ operatorName: 'model', encodedFrom, ...place }),
    )
  })
})
