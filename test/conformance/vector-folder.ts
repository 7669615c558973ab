/** Where the vectors are: beside the checkout, or where WEIR_CONFORMANCE says. */
import { join } from 'node:path'

const beside = join(import.meta.dirname, '..', '..', '..', 'shared', 'conformance')

export const vectorFolder = process.env.WEIR_CONFORMANCE ?? beside
