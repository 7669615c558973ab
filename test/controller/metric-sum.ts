/** The sum of a metric over the lines whose labels match, from the text that Prometheus reads. */
export function metricSum(text: string, name: string, labels = /./): number {
  return text
    .split('\n')
    .filter(line => line.startsWith(`${name}{`) && labels.test(line))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const API_REQUESTS = 'weir_controller_api_requests_total'
/** Writes of objects: the lease is renewed each second, and events only tell of others. */
const WRITE = /verb="(POST|PUT|PATCH|DELETE)",resource="(?!leases|events)/

export function objectWrites(text: string): number {
  return metricSum(text, API_REQUESTS, WRITE)
}

/** The metric's lines of writes: where none is to be, a test shows which there were. */
export function writeLines(text: string): readonly string[] {
  return text.split('\n').filter(line => line.startsWith(`${API_REQUESTS}{`) && WRITE.test(line))
}
