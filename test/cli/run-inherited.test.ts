import { expect, test } from '@jest/globals'
import { runInherited } from '../../src/cli/run-inherited.ts'
import { cliTestIo } from './cli-test-io.ts'

async function run(code: string): Promise<{ code: number; err: string }> {
  const io = cliTestIo()
  const args = ['-e', code]
  return {
    code: await runInherited(io, { args, cwd: io.cwd, env: { ANSWER: '42' } }),
    err: io.written.err,
  }
}

test('the exit code of the program is ours, and it has the environment it was given', async () => {
  expect(await run('process.exitCode = Number(process.env.ANSWER)')).toEqual({ code: 42, err: '' })
})

test.each([
  ['SIGKILL', 1],
  ['SIGINT', 130],
])('a program that is ended by %s fails, and that is said', async (signal, code) => {
  const said = `weir: the program was ended by ${signal}\n`
  expect(await run(`process.kill(process.pid, '${signal}')`)).toEqual({ code, err: said })
})
