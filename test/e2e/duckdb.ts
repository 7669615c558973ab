/** DuckDB as an independent judge of results: the same question asked of another engine. */
import { DuckDBInstance } from '@duckdb/node-api'

/** The rows of one statement, as JSON values. */
export async function query(sql: string): Promise<unknown[][]> {
  const database = await DuckDBInstance.create(':memory:')
  const connection = await database.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson() as unknown[][]
  } finally {
    connection.closeSync()
    database.closeSync()
  }
}
