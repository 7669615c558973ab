export { type CollectionOptions, collectionSource } from './collection-source.ts'
