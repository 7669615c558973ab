import { availableParallelism } from 'node:os'

/** Tests start processes of their own: more workers than this only wait for one another. */
const WORKERS_MAX = 4

/** Jest runs the TypeScript sources as ES modules; swc strips the types. */
export default {
  roots: ['<rootDir>/test'],
  maxWorkers: Math.min(WORKERS_MAX, availableParallelism()),
  // What a file has loaded stays in its worker: one that holds too much is replaced by a fresh one.
  workerIdleMemoryLimit: '1GB',
  // Tests that start processes take seconds on a machine that has much else to do.
  testTimeout: 180_000,
  globalSetup: '<rootDir>/test/testbed/session-setup.js',
  globalTeardown: '<rootDir>/test/testbed/session-teardown.js',
  setupFiles: ['<rootDir>/test/property-seed.js'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^weir$': '<rootDir>/src/index.ts',
    '^weir/testing$': '<rootDir>/src/testing/index.ts',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  reporters: ['default', '<rootDir>/test/summary-reporter.js'],
}
