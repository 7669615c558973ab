import { expect, test } from '@jest/globals'
import { metricDefinitions } from '../../src/observability/metric-definitions.ts'
import { metricsText } from '../../src/observability/metrics-text.ts'

test('samples stand under their help and type, labels escaped', async () => {
  const text = await metricsText([
    { name: 'weir_job_restarts_total', labels: { job: 'a"b' }, value: 3 },
  ])
  expect(text).toContain('# TYPE weir_job_restarts_total counter')
  expect(text).toContain('weir_job_restarts_total{job="a\\"b"} 3')
})

test('two texts share no totals', async () => {
  const sample = { name: 'weir_job_restarts_total', labels: { job: 'a' }, value: 2 } as const
  expect(await metricsText([sample])).toBe(await metricsText([sample]))
})

test.each(Object.entries(metricDefinitions))('%s is named after its kind', (name, { type }) => {
  expect(name).toMatch(/^weir_[a-z_]+$/)
  expect(name.endsWith('_total')).toBe(type === 'counter')
})
