/**
 * The manifests `crds/*.yaml`, made from the schemas.
 *
 *   npm run crds     writes them; `controller/crd/crd-files.test.ts` holds them against a fresh making
 */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { crdDocument } from '../src/controller/crd/custom-resource.ts'
import { customResources } from '../src/controller/crd/custom-resources.ts'

const home = resolve(import.meta.dirname, '..')

/** Path -> its text, freshly made. */
export function crdFiles(): ReadonlyMap<string, string> {
  return new Map(
    customResources.map(resource => {
      const text = stringify(crdDocument(resource), {
        aliasDuplicateObjects: false,
        // kubectl reads YAML 1.1, where off is no text.
        compat: 'yaml-1.1',
        lineWidth: 0,
      })
      return [`crds/${resource.plural}.yaml`, `# Made from the code: npm run crds\n${text}`]
    }),
  )
}

if (import.meta.main) {
  for (const [path, text] of crdFiles()) writeFileSync(join(home, path), text)
}
