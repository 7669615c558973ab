/** What the flight-delays sample must write, said in SQL over the same Parquet file. */
import { join } from 'node:path'

import { query } from './duckdb.ts'

export const FLIGHT_WINDOWS = 763_125

const FLIGHTS = join(
  import.meta.dirname,
  '../../node_modules/vega-datasets/data/flights-3m.parquet',
)

/** Six windows a flight: they begin at its hour and at the five before. */
const EXPECTED = `
  select origin, start, start + 6 * 3600000 as "end", count(*) as flights,
         sum(delay)::bigint as "totalDelay", max(delay) as "maxDelay",
         sum(delay)::double / count(*) as "meanDelay"
  from (
    select origin, delay,
           (epoch_ms(date) // 3600000 - unnest(range(0, 6))) * 3600000 as start
    from '${FLIGHTS}'
  ) group by origin, start`

/** How many rows stand in the folder, and how many differ from the expected ones either way. */
export async function judgeFlightDelays(
  folder: string,
): Promise<{ rows: number; missing: number; unexpected: number }> {
  const actual = `
    select origin, epoch_ms(start) as start, epoch_ms("end") as "end", flights, "totalDelay",
           "maxDelay", "meanDelay"
    from read_json('${folder}/**/part-*', format = 'newline_delimited', columns = {
      origin: 'VARCHAR', start: 'TIMESTAMP', "end": 'TIMESTAMP', flights: 'BIGINT',
      "totalDelay": 'BIGINT', "maxDelay": 'BIGINT', "meanDelay": 'DOUBLE' })`
  const [counts] = await query(`
    with expected as (${EXPECTED}), actual as (${actual})
    select (select count(*) from actual),
           (select count(*) from (select * from expected except all select * from actual)),
           (select count(*) from (select * from actual except all select * from expected))`)
  const [rows, missing, unexpected] = (counts ?? []).map(Number)
  return { rows: rows ?? -1, missing: missing ?? -1, unexpected: unexpected ?? -1 }
}
