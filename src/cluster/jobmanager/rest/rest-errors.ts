/** What the REST API answers when it refuses. */
import { defineErrors } from '../../../common/errors.ts'

export const restErrors = defineErrors({
  WEIR_REST_UNAUTHORIZED: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string }) => `${e.path} needs the token of this run`,
    next: 'send the header "authorization: Bearer TOKEN"; TOKEN stands in .weir/run/JOB.json',
  },
  WEIR_REST_NOT_FOUND: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string; known: readonly string[] }) =>
      `there is no ${e.path}; there are ${e.known.join(', ')}`,
    next: 'correct the path: every resource is documented in docs/rest.md',
  },
  WEIR_REST_METHOD_NOT_ALLOWED: {
    domain: 'user',
    retry: 'never',
    message: (e: { method: string; path: string; allowed: readonly string[] }) =>
      `${e.path} does not take ${e.method}, it takes ${e.allowed.join(' and ')}`,
    next: 'correct the method',
  },
  WEIR_REST_BODY_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { reason: string }) => `the body of the request is wrong: ${e.reason}`,
    next: 'send JSON with the fields that docs/rest.md names, or no body',
  },
  WEIR_REST_BODY_TOO_LARGE: {
    domain: 'user',
    retry: 'never',
    message: (e: { limitBytes: number }) => `the body is longer than ${e.limitBytes} bytes`,
    next: 'send less: no resource takes more than a few fields',
  },
  WEIR_REST_CHECKPOINT_UNKNOWN: {
    domain: 'user',
    retry: 'never',
    message: (e: { id: string; known: string }) => `no checkpoint ${e.id} is known; ${e.known}`,
    next: 'older ones are in the store: weir savepoint inspect FOLDER prints their metadata',
  },
  WEIR_REST_SAVEPOINT_UNKNOWN: {
    domain: 'user',
    retry: 'never',
    message: (e: { id: string }) => `no savepoint request ${e.id} is known`,
    next: 'use the id that POST /api/v1/savepoints answered; /api/v1/checkpoints lists all',
  },
  WEIR_REST_STOP_UNKNOWN: {
    domain: 'user',
    retry: 'never',
    message: (e: { id: string }) => `no order to stop with the id ${e.id} is known`,
    next: 'use the requestId that was given to POST /api/v1/stop of this jobmanager',
  },
  WEIR_REST_VERTEX_UNKNOWN: {
    domain: 'user',
    retry: 'never',
    message: (e: { id: string; known: readonly string[] }) =>
      `the job has no vertex ${e.id}; it has ${e.known.join(', ')}`,
    next: 'use an id of GET /api/v1/plan',
  },
  WEIR_REST_PROCESS_UNKNOWN: {
    domain: 'user',
    retry: 'never',
    message: (e: { id: string; known: readonly string[] }) =>
      `the job has no process ${e.id}; it has ${e.known.join(', ')}`,
    next: 'use a name of GET /api/v1/processes',
  },
  WEIR_REST_QUERY_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { name: string; value: string; expected: string }) =>
      `?${e.name}=${e.value} is wrong: expected ${e.expected}`,
    next: 'correct it, or leave it out',
  },
  WEIR_REST_BUSY: {
    domain: 'user',
    retry: 'later',
    message: (e: { pending: number }) => `${e.pending} savepoints are being taken already`,
    next: 'wait until one of them is done',
  },
  WEIR_SAVEPOINT_FAILED: {
    domain: 'external',
    retry: 'later',
    message: (e: { reason: string }) => `the savepoint failed: ${e.reason}`,
    next: 'see the reason; the job itself is not harmed by it',
  },
  WEIR_REST_INTERNAL: {
    domain: 'internal',
    retry: 'never',
    message: (e: { path: string; reason: string }) => `${e.path} failed: ${e.reason}`,
    next: 'this is a defect of Weir; report it with the message above',
  },
})
