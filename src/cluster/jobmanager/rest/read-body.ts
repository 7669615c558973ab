import type { IncomingMessage } from 'node:http'
import { messageOf } from '../../../common/errors.ts'
import { restErrors } from './rest-errors.ts'

const BODY_BYTES_MAX = 65_536

/** The request's JSON; `undefined` without a body. Reads no more than a resource may take. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const tooLarge = restErrors.WEIR_REST_BODY_TOO_LARGE({ limitBytes: BODY_BYTES_MAX })
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) throw tooLarge
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > BODY_BYTES_MAX) throw tooLarge
    pieces.push(piece)
  }
  if (size === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8'))
  } catch (error) {
    throw restErrors.WEIR_REST_BODY_INVALID({ reason: messageOf(error) }, error)
  }
}
