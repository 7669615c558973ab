export { type DatagenOptions, datagen } from './datagen-source.ts'
export {
  type Generator,
  letters,
  oneOf,
  sequence,
  type TimestampsOptions,
  timestamps,
  uniform,
  uniformInt,
  weighted,
} from './generators.ts'
