/** Images of what runs in pods for the cluster's own sake, packed from the programs built here. */
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeOciArchive } from '../../../src/cli/image/oci-archive.ts'
import { installOnce } from '../install-once.ts'
import { DNS_IMAGE } from './kube-dns.ts'
import type { KubePlan } from './kube-plan.ts'

const images = { pause: 'localhost/weir/pause:1', coredns: DNS_IMAGE } as const

/** Gives the archives. */
export async function kubeImages(programs: KubePlan['programs']): Promise<readonly string[]> {
  const names = Object.keys(images) as readonly (keyof typeof images)[]
  const digest = createHash('sha256').update(names.map(name => programs[name]).join('\n'))
  const folder = await installOnce(
    `kube-images-${digest.digest('hex').slice(0, 8)}`,
    async draft => {
      for (const name of names) {
        const layer = join(draft, `${name}-layer`)
        mkdirSync(layer)
        copyFileSync(join(programs[name] ?? '', name), join(layer, name))
        await writeOciArchive({
          output: join(draft, `${name}.tar`),
          name: images[name],
          architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
          config: { Entrypoint: [`/${name}`], User: '65535:65535' },
          layers: [layer],
          workFolder: join(draft, 'work'),
        })
      }
    },
  )
  return names.map(name => join(folder, `${name}.tar`))
}
