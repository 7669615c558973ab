/** The evictors by the names that jobs use: `evictors.count(10)`. A new one is one line here. */
export { countEvictor as count } from './count-evictor.ts'
export { deltaEvictor as delta } from './delta-evictor.ts'
export { timeEvictor as time } from './time-evictor.ts'
