import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { describeWithPart } from './describe-with-part.ts'
import { freePorts } from './free-ports.ts'
import { holdLock, isAlive } from './hold-lock.ts'
import { installOnce, testbedFolder } from './install-once.ts'
import { listsBroker } from './lists-broker.ts'
import { runTool } from './run-tool.ts'
import { isRunning, serverPid, startServer, stopServer } from './server-process.ts'

const folders: string[] = []

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-testbed-'))
  folders.push(folder)
  return folder
}

afterEach(async () => {
  for (const folder of folders.splice(0)) {
    await stopServer(folder, 'SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
})

const LIMIT_MS = 20_000

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > LIMIT_MS) throw new Error('waited in vain')
    await pause(10)
  }
}

describe('a server of the testbed', () => {
  const sleeper = ['sleep', '1000']

  test('is stopped, and can be started again', async () => {
    const folder = newFolder()
    for (let i = 0; i < 2; i++) {
      await startServer({
        folder,
        owner: process.pid,
        command: sleeper,
        isReady: async () => isRunning(folder),
      })
      const pid = serverPid(folder)
      await stopServer(folder)
      expect(isAlive(pid)).toBe(false)
      expect(isRunning(folder)).toBe(false)
    }
  })

  test('ends with its owner, also when that is killed', async () => {
    const folder = newFolder()
    const owner = spawn('sleep', ['1000'])
    const isReady = async (): Promise<boolean> => isRunning(folder)
    await startServer({ folder, owner: owner.pid as number, command: sleeper, isReady })
    const pid = serverPid(folder)
    owner.kill('SIGKILL')
    await until(() => !isAlive(pid))
  })

  test('that ends at once is an error with its last words', async () => {
    const folder = newFolder()
    const command = ['sh', '-c', 'echo "no such data" >&2; exit 3']
    const started = startServer({ folder, owner: 0, command, isReady: async () => false })
    await expect(started).rejects.toThrow('no such data')
  })
})

test('a tool that is not there is named, with what to install', async () => {
  const missing = runTool('weir-no-such-tool', [], { install: 'install it' })
  await expect(missing).rejects.toMatchObject({
    message: 'weir-no-such-tool is not installed',
    next: 'install it',
    isMissing: true,
  })
  const failing = runTool('sh', ['-c', 'echo broken; exit 1'], { install: '' })
  await expect(failing).rejects.toMatchObject({ isMissing: false })
})

test('a lock lets one in at a time, and that of a dead process is taken over', async () => {
  const folder = join(newFolder(), 'lock')
  let inside = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 5 }, () =>
      holdLock(folder, async () => {
        most = Math.max(most, ++inside)
        await pause(1)
        inside--
      }),
    ),
  )
  expect(most).toBe(1)
  const dead = spawn('true')
  await new Promise(resolve => dead.on('close', resolve))
  await runTool('mkdir', [folder], { install: '' })
  writeFileSync(join(folder, 'pid'), String(dead.pid))
  expect(await holdLock(folder, async () => 'in')).toBe('in')
})

test('an installation that failed is not there; the next try makes it', async () => {
  const name = `test-${process.pid}`
  try {
    const failing = installOnce(name, async folder => {
      writeFileSync(join(folder, 'half'), '')
      throw new Error('no network')
    })
    await expect(failing).rejects.toThrow('no network')
    const folder = await installOnce(name, async draft => writeFileSync(join(draft, 'whole'), ''))
    expect(existsSync(join(folder, 'half'))).toBe(false)
    expect(existsSync(join(folder, 'whole'))).toBe(true)
    await installOnce(name, () => Promise.reject(new Error('not again')))
  } finally {
    for (const end of ['', '.draft', '.lock']) {
      rmSync(join(testbedFolder(), name + end), { recursive: true, force: true })
    }
  }
})

test('free ports differ', async () => {
  expect(new Set(await freePorts(20)).size).toBe(20)
})

const runner = join(import.meta.dirname, 'run-testbed.ts')

function testbed(cache: string, ...args: readonly string[]): Promise<string> {
  const node = ['--disable-warning=ExperimentalWarning', runner, ...args]
  return runTool(process.execPath, node, { environment: { XDG_CACHE_HOME: cache }, install: '' })
}

describe('weir testbed', () => {
  test('says what it knows where it is asked for something else', async () => {
    for (const args of [['up'], ['up', 'oracle'], ['begin', 's3'], ['load', 's3', 'x']]) {
      await expect(testbed(newFolder(), ...args)).rejects.toThrow('weir testbed up|down|status')
    }
  })

  test('with nothing up, says so', async () => {
    const cache = newFolder()
    expect(await testbed(cache, 'status')).toBe('nothing is up\n')
    expect(await testbed(cache, 'status', '--json')).toBe('[]\n')
    expect(await testbed(cache, 'down', 's3')).toContain('s3 was not up')
    await expect(testbed(cache, 'status', 's3')).rejects.toThrow('ended with 1')
    await expect(testbed(cache, 'load', 'kube', 'x')).rejects.toThrow('kube is not up')
  })
})

await describeWithPart('a real S3 server', 's3', environment => {
  test('answers in the words of S3', async () => {
    const answer = await fetch(`${environment.WEIR_TESTBED_S3}/bucket/key`)
    expect(await answer.text()).toContain('<Error>')
  })
})

await describeWithPart('a real Kafka broker', 'kafka', environment => {
  test('lists itself', async () => {
    const port = Number((environment.WEIR_TESTBED_KAFKA ?? '').split(':')[1])
    expect(await listsBroker(port)).toBe(true)
  })
})

test('what is fetched is pinned by digests', () => {
  for (const version of ['4.4.0', '3.9.2']) {
    const file = join(import.meta.dirname, `kafka-jars/kafka-${version}.sha256`)
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    expect(lines.every(line => /^[0-9a-f]{64} {2}[\w.-]+\.jar$/.test(line))).toBe(true)
    expect(lines.some(line => line.endsWith(` kafka_2.13-${version}.jar`))).toBe(true)
  }
})
