import { expect, test } from '@jest/globals'
import { parseS3Location } from '../../../src/storage/s3/s3-location.ts'

test('reads a bucket, a prefix and how to reach them', () => {
  expect(parseS3Location('s3://bucket')).toEqual({
    bucket: 'bucket',
    prefix: '',
    endpoint: undefined,
    region: undefined,
    pathStyle: true,
  })
  const query = 'endpoint=http://127.0.0.1:9000&region=eu-west-1&pathStyle=false'
  expect(parseS3Location(`s3://my.bucket/a//b/?${query}`)).toEqual({
    bucket: 'my.bucket',
    prefix: 'a/b/',
    endpoint: 'http://127.0.0.1:9000',
    region: 'eu-west-1',
    pathStyle: false,
  })
})

test.each([
  ['s3://', 'no bucket name'],
  ['s3://UPPER/x', '"UPPER" is no bucket name'],
  ['s3://bucket/x?endpont=http://a', 'not endpont'],
  ['s3://bucket/x?endpoint=127.0.0.1:9000', 'endpoint is a URL'],
  ['s3://bucket/x?pathStyle=yes', 'pathStyle is true or false'],
])('refuses %s', (location, reason) => {
  expect(() => parseS3Location(location)).toThrow(reason)
})

test('refuses credentials in a URL without repeating them', () => {
  for (const location of [
    's3://bucket/x?endpoint=http://key:hidden@127.0.0.1:9000',
    's3://key:hidden@bucket/x',
  ]) {
    let message = ''
    try {
      parseS3Location(location)
    } catch (error) {
      message = String(error)
    }
    expect(message).toContain('WEIR_STORE_LOCATION_INVALID')
    expect(message).not.toContain('hidden')
  }
})
