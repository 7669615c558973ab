import { expect, test } from '@jest/globals'
import { redactText } from '../../src/common/redact.ts'

test.each([
  ['see https://me:hush@wiki.example/a', 'see https://***@wiki.example/a'],
  ['AWS_SECRET_ACCESS_KEY=hush/1+2= is wrong', 'AWS_SECRET_ACCESS_KEY=*** is wrong'],
  ['{"password": "hush", "user":"me"}', '{"password": "***", "user":"me"}'],
  ['sent Authorization: Bearer hush.hush.hush', 'sent Authorization: Bearer ***'],
  ['GET s3://b/k?X-Amz-Signature=hush&part=1', 'GET s3://b/k?X-Amz-Signature=***&part=1'],
  ['spec.secrets[0].name kafka: no such Secret', 'spec.secrets[0].name kafka: no such Secret'],
  ['the token: it has expired', 'the token: it has expired'],
])('%s is shown as %s', (text, shown) => {
  expect(redactText(text)).toBe(shown)
  expect(redactText(shown)).toBe(shown)
})
