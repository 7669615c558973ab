import { nodeFlags } from '../../common/node-flags.ts'
import type { ImageConfig } from './oci-archive.ts'

/** Everything runs as this number; it owns nothing. */
export const IMAGE_USER = 10_001
export const IMAGE_HOME = '/opt/weir'
/** Where a job writes unless it is told otherwise; a pod mounts a volume there. */
export const IMAGE_WORK_FOLDER = '/work'

/** How a container is started; the Dockerfile says the same. */
export function imageConfig(version: string, libraries: readonly string[]): ImageConfig {
  return {
    Entrypoint: [
      '/usr/local/bin/node',
      ...nodeFlags,
      '--disable-warning=ExperimentalWarning',
      `${IMAGE_HOME}/dist/bin/weir.js`,
    ],
    User: `${IMAGE_USER}:${IMAGE_USER}`,
    WorkingDir: IMAGE_WORK_FOLDER,
    Env: ['PATH=/usr/local/bin', 'HOME=/tmp', 'XDG_CACHE_HOME=/tmp', 'MALLOC_ARENA_MAX=2'],
    Labels: {
      'org.opencontainers.image.title': 'weir',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'dev.weir.image.libraries': libraries.join(' '),
    },
  }
}
