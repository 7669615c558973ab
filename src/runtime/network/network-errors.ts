/** Errors of the connections between slots. */
import { defineErrors } from '../../common/errors.ts'

/** What two ends disagree about; each side by its own words. */
export interface Disagreement {
  readonly peer: string
  readonly own: string
  readonly theirs: string
}

export const networkErrors = defineErrors({
  WEIR_PEER_LOST: {
    domain: 'external',
    retry: 'later',
    message: (e: { peer: string; reason: string }) =>
      `the connection to ${e.peer} broke: ${e.reason}`,
    next:
      'the job restarts from its last completed checkpoint; ' +
      'see whether that process or the network died',
  },
  WEIR_PEER_UNREACHABLE: {
    domain: 'external',
    retry: 'later',
    message: (e: { peer: string; reason: string }) => `cannot connect to ${e.peer}: ${e.reason}`,
    next: 'see whether that process runs and whether a firewall or network policy stands between',
  },
  WEIR_PEER_SILENT: {
    domain: 'external',
    retry: 'later',
    message: (e: { peer: string; awaited: string; timeoutMs: number }) =>
      `no ${e.awaited} from ${e.peer} within ${e.timeoutMs} ms`,
    next: 'see whether that process is busy or stopped, and whether the port belongs to Weir',
  },
  WEIR_HANDSHAKE_MALFORMED: {
    domain: 'external',
    retry: 'never',
    message: (e: { peer: string; what: string }) =>
      `${e.peer} does not speak Weir's handshake: ${e.what}`,
    next: 'nothing to do if a port scan was at work; else see what dials this port',
  },
  WEIR_PEER_UNPROVEN: {
    domain: 'external',
    retry: 'never',
    message: (e: { peer: string }) => `${e.peer} does not know the secret of this job`,
    next: 'start all processes of a job with the same secret',
  },
  WEIR_PEER_OF_OTHER_ROLE: {
    domain: 'external',
    retry: 'never',
    message: (e: Disagreement) => `${e.peer} is a ${e.theirs}, a ${e.own} was expected`,
    next: 'see which address was given to which process',
  },
  WEIR_PEER_OF_OTHER_JOB: {
    domain: 'external',
    retry: 'never',
    message: (e: Disagreement) => `${e.peer} belongs to job ${e.theirs}, this is job ${e.own}`,
    next: 'give each job addresses of its own',
  },
  WEIR_PEER_OF_OTHER_VERSION: {
    domain: 'external',
    retry: 'never',
    message: (e: Disagreement) => `${e.peer} runs Weir ${e.theirs}, this is Weir ${e.own}`,
    next: 'run one version in all processes of a job',
  },
  WEIR_PEER_OF_OTHER_ATTEMPT: {
    domain: 'external',
    retry: 'later',
    message: (e: Disagreement) => `${e.peer} is at attempt ${e.theirs}, this is attempt ${e.own}`,
    next: 'nothing if the job restarts: the older attempt ends by itself',
  },
  WEIR_PEER_OF_OTHER_SLOT: {
    domain: 'external',
    retry: 'later',
    message: (e: Disagreement) => `${e.peer} is slot ${e.theirs}, slot ${e.own} was expected`,
    next: 'nothing if the job restarts: the new attempt gets new addresses',
  },
  WEIR_FRAME_MALFORMED: {
    domain: 'internal',
    retry: 'later',
    message: (e: { what: string }) => `malformed frame: ${e.what}`,
    next: 'see whether all processes run one build; the job restarts from its last checkpoint',
  },
  WEIR_RECORD_TOO_LARGE: {
    domain: 'user',
    retry: 'never',
    message: (e: { edge: string; sizeBytes: number; limitBytes: number }) =>
      `a record on ${e.edge} takes ${e.sizeBytes} bytes, at most ${e.limitBytes} can be sent`,
    next: 'send a reference to large content instead of the content',
  },
  WEIR_LISTEN_FAILED: {
    domain: 'external',
    retry: 'later',
    message: (e: { address: string; reason: string }) =>
      `cannot listen on ${e.address}: ${e.reason}`,
    next: 'choose a free port or another path',
  },
  WEIR_TLS_UNREADABLE: {
    domain: 'user',
    retry: 'never',
    message: (e: { name: string; path: string; reason: string }) =>
      `the ${e.name} of TLS cannot be read from ${e.path}: ${e.reason}`,
    next: 'give the path of a PEM file, or the PEM text itself',
  },
  WEIR_ADDRESS_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { address: string; reason: string }) => `${e.address} is no address: ${e.reason}`,
    next: 'write unix:/path or tcp://host:port',
  },
})
