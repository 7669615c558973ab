/** The sum of a metric over the lines whose labels match, from the text that Prometheus reads. */
export function metricSum(text: string, name: string, labels = /./): number {
  return text
    .split('\n')
    .filter(line => line.startsWith(`${name}{`) && labels.test(line))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

/** Writes of objects: the lease is renewed each second, and events only tell of others. */
export function objectWrites(text: string): number {
  const labels = /verb="(POST|PUT|PATCH|DELETE)",resource="(?!leases|events)/
  return metricSum(text, 'weir_controller_api_requests_total', labels)
}
