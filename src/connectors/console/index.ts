export { type ConsoleSinkOptions, consoleSink, type LineOutput } from './console-sink.ts'
