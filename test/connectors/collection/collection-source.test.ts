import { collectionSource } from '../../../src/connectors/collection/index.ts'
import { testSource } from '../../contract/source.ts'

const items = Array.from({ length: 23 }, (_, i) => ({ id: i, name: `item ${i}` }))

testSource('collection', { make: () => collectionSource(items), expected: () => items })

testSource('a collection of one item', {
  make: () => collectionSource(['only']),
  expected: () => ['only'],
  cuts: [0, 1],
})
