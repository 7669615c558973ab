/** What can go wrong between the controller and a jobmanager. */
import { defineErrors } from '../../common/errors.ts'

/** Which jobmanager, as people read it. */
interface Asked {
  readonly job: string
  readonly address: string
}

export const linkErrors = defineErrors({
  WEIR_LINK_UNREACHABLE: {
    domain: 'external',
    retry: 'later',
    message: ({ job, address, reason }: Asked & { reason: string }) =>
      `no answer from the jobmanager of ${job} at ${address}: ${reason}`,
    next: 'the job goes on; see whether its pod runs, and the controller may reach it',
  },
  WEIR_LINK_UNPROVEN: {
    domain: 'external',
    retry: 'later',
    message: ({ job, address, reason }: Asked & { reason: string }) =>
      `who answers at ${address} is not proven to be the jobmanager of ${job}: ${reason}`,
    next: 'give the controller the master key that the job was deployed with, below a newer one',
  },
  WEIR_LINK_REFUSED: {
    domain: 'external',
    retry: 'later',
    message: ({ job, code, said }: { job: string; code: string; said: string }) =>
      `the jobmanager of ${job} refuses: ${code} ${said}`,
    next: 'it is tried again; see the reason',
  },
  WEIR_LINK_MALFORMED: {
    domain: 'external',
    retry: 'later',
    message: ({ job, address, reason }: Asked & { reason: string }) =>
      `the answer of the jobmanager of ${job} at ${address} cannot be read: ${reason}`,
    next: 'it is asked again; see whether controller and image of the job are of one version',
  },
})
