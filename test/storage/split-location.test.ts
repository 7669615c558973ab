import { expect, test } from '@jest/globals'
import { joinLocation, splitLocation } from '../../src/storage/split-location.ts'

test.each([
  ['s3://bucket/jobs/chk-1', 's3://bucket/jobs', 'chk-1'],
  ['s3://bucket/jobs/chk-1/', 's3://bucket/jobs', 'chk-1'],
  ['s3://bucket/a/chk-1?endpoint=http://h:1', 's3://bucket/a?endpoint=http://h:1', 'chk-1'],
])('%s is a name below a store, and the store keeps its query', (url, location, name) => {
  const parts = splitLocation(url)
  expect(parts).toEqual({ location, name })
  expect(splitLocation(joinLocation(parts))).toEqual(parts)
})
