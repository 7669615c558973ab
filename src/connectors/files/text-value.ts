/** Text of a CSV field as a cell of the kind that the schema wants. */
import type { TypeNode } from '../../schema/type-node.ts'
import { cellConverter, unfit } from './column-value.ts'

export type TextConverter = (text: string) => unknown

/** Throws WEIR_RECORD_UNPARSABLE, naming the column. */
export function textConverter(column: string, node: TypeNode): TextConverter {
  if (node.kind === 'optional' || node.kind === 'nullable') {
    const inner = textConverter(column, node.of)
    const nothing = node.kind === 'optional' ? undefined : null
    return text => (text === '' ? nothing : inner(text))
  }
  const convert = cellConverter(column, node)
  const parse = node.json === 'opaque' ? (text: string) => text : textParser(column, node)
  return text => convert(parse(text))
}

function textParser(column: string, node: TypeNode): TextConverter {
  switch (node.kind) {
    case 'int32':
    case 'int':
    case 'float64':
      return text => {
        if (NUMBER.test(text)) return Number(text)
        throw unfit(column, 'expected a number', text)
      }
    case 'timestamp':
      return text => (NUMBER.test(text) ? Number(text) : isoTime(column, text))
    case 'int64':
      return text => {
        if (INTEGER.test(text)) return BigInt(text)
        throw unfit(column, 'expected an integer', text)
      }
    case 'boolean':
      return text => {
        const value = BOOLEANS[text.toLowerCase()]
        if (value === undefined) throw unfit(column, 'expected true or false', text)
        return value
      }
    case 'bytes':
      return text => Buffer.from(text, 'base64')
    case 'choice': {
      const values = new Map(node.values.map(value => [String(value), value]))
      // What is none of them goes on as it is: the cell's converter names the choices.
      return text => (values.has(text) ? values.get(text) : text)
    }
    case 'null':
      return text => (text === '' ? null : text)
    case 'array':
    case 'object':
    case 'dictionary':
      return text => parseJson(column, text)
    default:
      return text => text
  }
}

const NUMBER = /^\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|Infinity)\s*$|^NaN$/
const INTEGER = /^[+-]?\d{1,19}$/
const BOOLEANS: { readonly [text: string]: boolean | undefined } = {
  true: true,
  false: false,
  '1': true,
  '0': false,
}

const ISO_TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)\s*(.*))?$/

/** ISO 8601, with a blank or a `T` before the time of day. Without a zone it is UTC. */
function isoTime(column: string, text: string): number {
  const [, date, time = '00:00', zone = ''] = ISO_TIME.exec(text.trim()) ?? []
  const ms = Date.parse(`${date}T${time.replace(',', '.')}${zone === '' ? 'Z' : zone}`)
  if (Number.isNaN(ms)) throw unfit(column, 'expected a time in ISO 8601', text)
  return ms
}

function parseJson(column: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unfit(column, (error as Error).message, text)
  }
}
