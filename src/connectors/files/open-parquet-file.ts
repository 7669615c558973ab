import type { ParquetFile } from './parquet-file.ts'

/** Opens a Parquet file. The decoders are loaded with the first one: most jobs never need them. */
export async function openParquetFile(path: string): Promise<ParquetFile> {
  const { ParquetFile } = await import('./parquet-file.ts')
  return ParquetFile.open(path)
}
