/**
 * Code from elsewhere: a module in a bucket or a folder, taken only with the digest that the
 * manifest names. Once fetched it stays in the cache under its digest, and is proved again there.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Clock } from '../common/clock.ts'
import type { Random } from '../common/random.ts'
import type { StreamJobSpec } from '../protocol/stream-job.ts'
import { openStore } from '../storage/open-store.ts'
import { splitLocation } from '../storage/split-location.ts'
import { cliErrors } from './cli-errors.ts'

export type BundleSource = NonNullable<StreamJobSpec['job']['bundle']>

export interface FetchBundleOptions {
  readonly bundle: BundleSource
  readonly cacheFolder: string
  readonly random: Random
  readonly clock: Clock
}

export interface FetchedModule {
  /** With the extension of the URL. */
  readonly name: string
  readonly text: string
}

const moduleKinds = new Set(['.ts', '.mts', '.js', '.mjs'])
/** A job's code is text that people wrote; what is larger is something else. */
const BYTES_MAX = 16 * 2 ** 20

/** Throws WEIR_JOB_BUNDLE_DIGEST, WEIR_JOB_BUNDLE_KIND, and what the store has to say. */
export async function fetchBundle(options: FetchBundleOptions): Promise<FetchedModule> {
  const { bundle, cacheFolder, random, clock } = options
  const { url, digest } = bundle
  const { location, name: key } = splitLocation(url)
  const kind = extname(key)
  if (!moduleKinds.has(kind)) throw cliErrors.WEIR_JOB_BUNDLE_KIND({ url, kind })
  const name = `job${kind}`
  const folder = join(cacheFolder, 'bundles')
  const file = join(folder, `${digest.replace(':', '-')}${kind}`)
  const kept = existsSync(file) ? readFileSync(file) : undefined
  if (kept !== undefined && digestOf(kept) === digest) return { name, text: kept.toString() }

  const store = openStore({ location, folder: cacheFolder, random, clock })
  const bytes = await store.getRange(key, 0, BYTES_MAX + 1)
  if (bytes.length > BYTES_MAX) {
    throw cliErrors.WEIR_JOB_BUNDLE_LARGE({ url, bytesMax: BYTES_MAX })
  }
  const found = digestOf(bytes)
  if (found !== digest) throw cliErrors.WEIR_JOB_BUNDLE_DIGEST({ url, digest, found })
  mkdirSync(folder, { recursive: true })
  // Whole or not at all: another process may read it.
  const draft = `${file}.${random.uuid()}`
  writeFileSync(draft, bytes)
  renameSync(draft, file)
  return { name, text: bytes.toString() }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
