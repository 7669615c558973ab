/** Every rule of the CRDs, held by a real API server, with the words of a local run. */
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { isWeirError } from '../../../src/common/errors.ts'
import { SystemRandom } from '../../../src/common/random.ts'
import { customResources } from '../../../src/controller/crd/custom-resources.ts'
import { pathOf, type ResourceKind } from '../../../src/controller/kube/resource-kind.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { connectTo, installCrds } from '../test-cluster.ts'
import { fieldSamples } from './field-samples.ts'
import type { Json, KindSamples, Transition } from './rule-samples.ts'
import { savepointSamples } from './savepoint-samples.ts'
import { streamJobSamples } from './stream-job-samples.ts'
import { streamTenantSamples } from './stream-tenant-samples.ts'

const home = resolve(import.meta.dirname, '../../..')
const TAKEN = 'taken'

await describeWithPart('rules on a real API server', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const random = new SystemRandom()
  let namespace = ''

  beforeAll(async () => {
    await installCrds(cluster)
    namespace = await cluster.namespace()
  })
  afterAll(() => cluster.close())

  /** `TAKEN`, or why not. */
  const say = async (send: () => Promise<unknown>): Promise<string> => {
    try {
      await send()
      return TAKEN
    } catch (error) {
      if (isWeirError(error) && error.code === 'WEIR_KUBE_INVALID') return error.message
      throw error
    }
  }

  const server = (samples: KindSamples) => {
    const kind = kindOf(samples)
    const place = () => (kind.isNamespaced ? { namespace } : {})
    const query = { dryRun: 'All', fieldValidation: 'Strict' }
    const { transport } = cluster
    const resource = kind.plural
    const object = (content: Json, name = `s-${random.uuid()}`) => {
      const { apiVersion, kind: word } = kind
      return {
        apiVersion,
        kind: word,
        metadata: { name: name.slice(0, 40), ...place() },
        ...content,
      }
    }
    return {
      offer: (spec: Json, name?: string) => {
        const path = pathOf(kind, place())
        const body = object({ spec }, name)
        return say(() => transport.request({ method: 'POST', path, query, body, resource }))
      },
      /** The old object is real, the update is not. */
      change: async ({ part, old, passes, fails }: Transition) => {
        const client = cluster.client(kind)
        const content = part === 'spec' ? { spec: old } : { spec: samples.minimal }
        let stored = await client.create(object(content))
        const subresource = part === 'status' ? 'status' : undefined
        const path = pathOf(kind, { ...place(), name: stored.metadata.name, subresource })
        const put = (changed: Json, how?: Json) =>
          transport.request({
            method: 'PUT',
            path,
            resource,
            body: {
              ...stored,
              status: undefined,
              ...(part === 'spec' ? { spec: changed } : changed),
            },
            ...(how === undefined ? {} : { query: how as Record<string, string> }),
          })
        if (part === 'status') stored = (await put(old)) as typeof stored
        return [await say(() => put(passes, query)), await say(() => put(fails, query))]
      },
    }
  }

  describe.each([streamJobSamples, savepointSamples, streamTenantSamples])('$kind', samples => {
    const { offer, change } = server(samples)

    test('takes what is right', async () => {
      for (const spec of samples.right) expect(await offer(spec)).toBe(TAKEN)
    })

    test.each(samples.broken)('$path $says', async ({ path, says, spec }) => {
      const said = await offer(spec)
      expect(said).toContain(says)
      expect(said).toContain(path)
    })

    test.each(fieldSamples(samples))('$path $says', async ({ says, passes, fails }) => {
      expect(await offer(passes)).toBe(TAKEN)
      for (const spec of fails) expect(await offer(spec)).toContain(says)
    })

    test.each(samples.transitions)('$says', async transition => {
      const [passes, fails] = await change(transition)
      expect(passes).toBe(TAKEN)
      expect(fails).toContain(transition.says)
    })

    test('refuses names that are too long, or begin with a digit', async () => {
      const says = 'metadata.name: expected a name of at most'
      expect(await offer(samples.minimal, '1-job')).toContain(says)
      expect(await offer(samples.minimal, 'a.b')).toContain(says)
    })

    test('refuses a field that it does not know', async () => {
      const { apiVersion, kind } = kindOf(samples)
      const spec = { ...samples.minimal, colour: 'red' }
      const path = pathOf(kindOf(samples), kindOf(samples).isNamespaced ? { namespace } : {})
      const body = { apiVersion, kind, metadata: { name: 'a' }, spec }
      const query = { dryRun: 'All', fieldValidation: 'Strict' }
      const resource = kindOf(samples).plural
      const { transport } = cluster
      const said = await say(() =>
        transport.request({ method: 'POST', path, query, body, resource }),
      )
      expect(said).toContain('unknown field "spec.colour"')
    })
  })

  test('takes every sample manifest', async () => {
    const { offer } = server(streamJobSamples)
    const files = globSync(['manifests/samples/**/*.yaml', 'test/force/**/*.yaml'], { cwd: home })
    expect(files.length).toBeGreaterThan(5)
    for (const file of files) {
      const { spec } = parse(readFileSync(join(home, file), 'utf8')) as { spec: Json }
      expect([file, await offer(spec)]).toEqual([file, TAKEN])
    }
  })
})

function kindOf({ kind }: KindSamples): ResourceKind {
  const found = customResources.find(one => one.kind === kind)
  if (found === undefined) throw new Error(`no kind ${kind}`)
  const isNamespaced = found.scope === 'Namespaced'
  return { apiVersion: 'weir.dev/v1alpha1', kind, plural: found.plural, isNamespaced }
}
