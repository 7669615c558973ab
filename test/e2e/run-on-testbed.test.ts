/** `weir run --testbed`: servers, topics and bucket come up by themselves, and stay for a restore. */
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { testbedFolder } from '../testbed/install-once.ts'
import { ScratchFolders, sampleManifest, setAll, WeirProcess } from './weir-process.ts'

const folders = new ScratchFolders()

/** A cache of its own, so that what its user has up is left alone; what is installed is shared. */
function ownCache(): string {
  const cache = folders.make()
  const own = join(cache, 'weir/testbed')
  mkdirSync(own, { recursive: true })
  for (const name of readdirSync(testbedFolder())) {
    const isInstalled = /^(kafka|s3-server)-[\d.]+-[0-9a-f]+$/.test(name)
    if (isInstalled) symlinkSync(join(testbedFolder(), name), join(own, name))
  }
  return cache
}

await describeWithPart('weir run --testbed', ['kafka', 's3'], () => {
  afterAll(() => folders.remove())

  test('runs the ledger sample against servers of its own', async () => {
    const folder = folders.make()
    const environment = { XDG_CACHE_HOME: ownCache() }
    const weir = (...args: readonly string[]): WeirProcess =>
      new WeirProcess(args, folder, environment)
    const run = (...more: readonly string[]): WeirProcess => {
      const fields = setAll({ 'job.args.feed': 2_000, 'job.args.until': 'latest' })
      return weir('run', sampleManifest('kafka/ledger'), '--testbed', ...fields, ...more)
    }
    try {
      const first = await run().ended
      expect(first.code === 0 ? '' : first.err).toBe('')
      const status = await weir('testbed', 'status').ended
      expect(status.out).toMatch(/^kafka is up: Kafka 4\.4\.0/)
      expect(status.out).toMatch(/^s3 is up: versitygw/m)
      // What the first run wrote into the input is there for the second.
      const second = await run('--set', 'spec.job.args.feed=0').ended
      expect(second).toMatchObject({ code: 0 })
      expect(second.err).toMatch(/: 2,000 records in, 4,000 out/)
    } finally {
      for (const part of ['kafka', 's3']) await weir('testbed', 'down', part).ended
    }
  }, 240_000)
})
