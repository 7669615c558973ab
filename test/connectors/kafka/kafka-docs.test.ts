/** `docs/kafka.md` names every option that there is and none besides, and only errors that exist. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { kafkaErrors } from '../../../src/connectors/kafka/kafka-errors.ts'

const root = join(import.meta.dirname, '../../..')
const page = readFileSync(join(root, 'docs/kafka.md'), 'utf8')

/** The names in the first column of the table below a heading. */
function documented(heading: string): readonly string[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const [table = ''] = section.split('\n### ').slice(0, 1).join('').split('\n## ')
  return [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name ?? '')
}

/** The fields of the interface in a file. */
function declared(file: string, name: string): readonly string[] {
  const source = readFileSync(join(root, 'src/connectors/kafka', file), 'utf8')
  const [, body = ''] = new RegExp(`interface ${name}[^{]*\\{(.*?)\\n\\}`, 's').exec(source) ?? []
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, field]) => field ?? '')
}

test.each([
  ['Connection', 'connection-options.ts', 'KafkaConnectionOptions'],
  ['Source', 'source-options.ts', 'KafkaSourceOptions'],
  ['Sink', 'sink-options.ts', 'KafkaSinkOptions'],
])('the options under %s are those of the code, in its order', (heading, file, name) => {
  const fields = declared(file, name)
  expect(fields.length).toBeGreaterThan(3)
  expect(documented(heading)).toEqual(fields)
})

test('the errors that it names exist', () => {
  const named = new Set(page.match(/WEIR_KAFKA_\w+/g))
  expect(named.size).toBeGreaterThan(10)
  expect([...named].filter(code => !Object.hasOwn(kafkaErrors, code))).toEqual([])
})
