import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { declaredErrors } from '../src/common/errors.ts'
import { referencePages } from './reference-pages.ts'

const home = resolve(import.meta.dirname, '..')

test('the reference pages are what the code makes: else run `npm run docs`', async () => {
  const pages = await referencePages()
  for (const [page, text] of pages) {
    expect(`${page}\n${readFileSync(join(home, page), 'utf8')}`).toBe(`${page}\n${text}`)
  }
})

test('every declared error stands in the page, and every error of the page is declared', async () => {
  const page = (await referencePages()).get('docs/errors.md') ?? ''
  const documented = [...page.matchAll(/^\| `(WEIR_[A-Z0-9_]+)`/gm)].map(match => match[1] ?? '')
  expect(new Set(documented)).toEqual(new Set(declaredErrors().keys()))
})
