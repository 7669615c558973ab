import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from '@jest/globals'

/** A folder of the test file's own, removed at its end. */
export function scratchFolder(): { readonly path: string } {
  const folder = { path: '' }
  beforeAll(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'weir-files-'))
  })
  afterAll(() => rm(folder.path, { recursive: true, force: true }))
  return folder
}
