import { defineErrors } from '../../common/errors.ts'

export const imageErrors = defineErrors({
  WEIR_IMAGE_COMMAND_MISSING: {
    domain: 'user',
    retry: 'never',
    message: (e: { command: string; install: string }) =>
      `${e.command}, which makes the image, is not on this machine`,
    next: (e: { command: string; install: string }) =>
      `${e.install}, or build the image with Docker (docs/kubernetes.md)`,
  },
  WEIR_IMAGE_COMMAND_FAILED: {
    domain: 'external',
    retry: 'later',
    message: (e: { call: string; reason: string }) => `${e.call} ${e.reason}`,
    next: 'see its own words; the image that was there before is as it was',
  },
  WEIR_IMAGE_PART_MISSING: {
    domain: 'user',
    retry: 'never',
    message: (e: { part: string; folder: string }) => `the image needs ${e.part} from ${e.folder}`,
    next: 'install the packages whole (npm ci --ignore-scripts), then build the image again',
  },
})
