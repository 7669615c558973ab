export { type BlackholeSink, blackhole } from './blackhole-sink.ts'
