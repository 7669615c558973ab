import { expect, test } from '@jest/globals'
import { readControllerConfig } from '../../src/controller/controller-config.ts'

const image = { WEIR_ENGINE_IMAGE: 'weir:1' }

test('the defaults', () => {
  expect(readControllerConfig(image)).toEqual({
    namespace: 'weir-system',
    watchNamespaces: [],
    tenancy: true,
    userRoles: 'weir',
    engineImage: 'weir:1',
    grant: undefined,
    probes: { host: '0.0.0.0', port: 8081 },
    hostName: 'controller',
  })
})

test('what is given', () => {
  const given = {
    ...image,
    WEIR_NAMESPACE: 'a',
    WEIR_WATCH_NAMESPACES: 'b, c,b',
    WEIR_PROBES: '[::1]:0',
    HOSTNAME: 'pod-1',
  }
  expect(readControllerConfig(given)).toMatchObject({
    namespace: 'a',
    watchNamespaces: ['b', 'c'],
    tenancy: false,
    grant: undefined,
    probes: { host: '::1', port: 0 },
    hostName: 'pod-1',
  })
})

test.each([
  ['no image', {}, /WEIR_ENGINE_IMAGE is "", expected the image/],
  ['no port', { ...image, WEIR_PROBES: 'localhost' }, /WEIR_PROBES is "localhost"/],
  ['a namespace', { ...image, WEIR_WATCH_NAMESPACES: 'a,B' }, /WEIR_WATCH_NAMESPACES is "a,B"/],
  ['tenancy', { ...image, WEIR_TENANCY: 'yes' }, /WEIR_TENANCY is "yes", expected on or off/],
  ['too large a port', { ...image, WEIR_PROBES: 'a:65536' }, /WEIR_PROBES is "a:65536"/],
])('%s is refused', (_what, environment, says) => {
  expect(() => readControllerConfig(environment)).toThrow(says)
})
