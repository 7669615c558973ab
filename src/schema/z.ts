/**
 * `z`: zod 4 with what streams need beside it. Job authors write `import { z } from 'weir'`.
 */
export * as z from './zod-namespace.ts'
