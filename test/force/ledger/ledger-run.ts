/**
 * The ledger sample as a user runs it, behind two relays that see and break what goes to the broker
 * and to the S3 server. The first transfers it makes up itself, in transactions; others come from
 * elsewhere for as long as it is struck.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { kafkaSource } from '../../../src/connectors/kafka/index.ts'
import { json } from '../../../src/schema/json-format.ts'
import { record } from '../../../src/schema/record.ts'
import { z } from '../../../src/schema/z.ts'
import type { TestTopics } from '../../connectors/kafka/test-topics.ts'
import { SourceRun } from '../../contract/source-run.ts'
import { SteeredRun } from '../../e2e/steered-run.ts'
import { repository, sampleManifest, setAll } from '../../e2e/weir-process.ts'
import { FaultyProxy } from '../../testbed/faulty-proxy.ts'
import { KafkaRelay } from '../../testbed/kafka-relay.ts'
import { consoleConsumer } from '../../testbed/kafka-tools.ts'
import type { PartEnvironment } from '../../testbed/part.ts'
import { checkLedger, checkTransfers, type Entry, type Transfer } from './check-ledger.ts'
import { OtherTransfers } from './other-transfers.ts'
import type { OwnBroker } from './own-broker.ts'
import { socketOwner } from './socket-owner.ts'

const transferType = record({ id: z.int(), from: z.int32(), to: z.int32(), amount: z.int32() })
const entryType = record({
  account: z.int32(),
  transfer: z.int(),
  amount: z.int32(),
  balance: z.int(),
})

const PARTITIONS = 3
const ACCOUNTS = 40
const PER_SECOND = 2_500
const PATIENCE_MS = 90_000
const POLL_MS = 250
const SHOWN = 10

export interface LedgerParts {
  readonly broker: OwnBroker
  readonly topics: TestTopics
  /** Of the S3 server, with credentials. */
  readonly environment: PartEnvironment
  readonly bucket: string
}

export interface LedgerOptions {
  readonly seed: number
  /** How many transfers the job makes up. */
  readonly transfers: number
}

export class LedgerRun {
  readonly kafka: KafkaRelay
  readonly s3: FaultyProxy
  readonly parts: LedgerParts
  readonly folder = mkdtempSync(join(tmpdir(), 'weir-ledger-'))
  readonly #options: LedgerOptions
  readonly #input: string
  readonly #output: string
  readonly #jobs: SteeredRun[] = []
  readonly #others: OtherTransfers

  private constructor(
    options: LedgerOptions,
    parts: LedgerParts,
    wires: { readonly kafka: KafkaRelay; readonly s3: FaultyProxy; readonly names: string[] },
  ) {
    this.#options = options
    this.parts = parts
    this.kafka = wires.kafka
    this.s3 = wires.s3
    const [input = '', output = ''] = wires.names
    this.#input = input
    this.#output = output
    this.#others = new OtherTransfers(parts.topics.kafka, {
      topic: input,
      seed: options.seed,
      accounts: ACCOUNTS,
    })
  }

  static async open(options: LedgerOptions, parts: LedgerParts): Promise<LedgerRun> {
    const { topics, broker, environment } = parts
    const names = [await topics.make(PARTITIONS), await topics.make(PARTITIONS)]
    const kafka = await KafkaRelay.start(broker.address)
    const s3 = await FaultyProxy.start(environment.WEIR_TESTBED_S3 ?? '')
    const run = new LedgerRun(options, parts, { kafka, s3, names })
    await run.#others.start()
    return run
  }

  /** As it was started last. */
  get job(): SteeredRun {
    const job = this.#jobs.at(-1)
    if (job === undefined) throw new Error('nothing was started')
    return job
  }

  /** Starts the job, from another folder than before: nothing but the bucket is shared. */
  start(restore?: 'latest'): SteeredRun {
    const { seed, transfers } = this.#options
    const { bucket, environment } = this.parts
    const job = new SteeredRun({
      args: [
        sampleManifest('kafka/ledger'),
        ...(restore === undefined ? [] : ['--restore', restore]),
        ...setAll({
          'checkpoint.storage': `s3://${bucket}/${this.#input}?endpoint=${this.s3.endpoint}`,
          'checkpoint.interval': '200ms',
          // A store that is down fails checkpoints; the job goes on.
          'checkpoint.tolerableFailures': 1_000,
          'job.args.brokers': this.kafka.address,
          'job.args.input': this.#input,
          'job.args.output': this.#output,
          'job.args.feed': transfers,
          'job.args.rate': PER_SECOND,
          'job.args.accounts': ACCOUNTS,
          'job.args.seed': seed,
        }),
      ],
      folder: mkdtempSync(join(this.folder, 'run-')),
      jobId: 'default.ledger',
      environment,
    })
    this.#jobs.push(job)
    return job
  }

  /** Which process of any run has this end of a connection. */
  ownerOf(port: number): number | undefined {
    const pids = this.#jobs.filter(job => job.isRunning).flatMap(job => job.processes())
    return socketOwner(
      port,
      pids.map(({ pid }) => pid),
    )
  }

  /** Waits until the whole ledger can be read, ends the job, and judges. */
  async judge(): Promise<readonly string[]> {
    await this.#others.stop()
    const isThere = await this.#untilRead()
    if (this.job.isRunning) await this.job.stopWithSavepoint()
    const transfers = await this.#transfers()
    const entries = await this.#entries()
    const wrong = [
      ...(isThere ? [] : [`${entries.length} entries of ${transfers.length} transfers came`]),
      ...checkTransfers(transfers, this.#options.transfers),
      ...checkLedger(transfers, entries),
      ...(await this.#lingering()),
    ]
    if (wrong.length > 0) return [...wrong.slice(0, SHOWN), this.job.said]
    const address = this.parts.broker.address
    const lines = await consoleConsumer({ address, topic: this.#output, count: entries.length })
    const told = lines.map(line => JSON.parse(line) as Entry)
    return checkLedger(transfers, told).map(sentence => `the console consumer: ${sentence}`)
  }

  /** Ends what still runs and removes the folder. What is left of a failed run: see `kept`. */
  async end({ keep }: { readonly keep: boolean }): Promise<void> {
    await this.#others.stop()
    for (const job of this.#jobs) if (job.isRunning) await job.kill()
    await this.kafka.close()
    await this.s3.close()
    if (keep) cpSync(this.folder, this.kept, { recursive: true })
    rmSync(this.folder, { recursive: true, force: true })
  }

  get kept(): string {
    return join(repository, '.weir/failed', basename(this.folder))
  }

  async #untilRead(): Promise<boolean> {
    const startedMs = performance.now()
    while (performance.now() - startedMs < PATIENCE_MS) {
      const transfers = await this.#transfers()
      const made = transfers.filter(({ id }) => id < this.#options.transfers).length
      const isFed = made >= this.#options.transfers
      if (isFed && (await this.#entries()).length >= 2 * transfers.length) return true
      if (!this.job.isRunning) return false
      await pause(POLL_MS)
    }
    return false
  }

  async #transfers(): Promise<readonly Transfer[]> {
    return (await this.#read(this.#input, transferType)) as readonly Transfer[]
  }

  async #entries(): Promise<readonly Entry[]> {
    return (await this.#read(this.#output, entryType)) as readonly Entry[]
  }

  async #read(topic: string, type: typeof transferType | typeof entryType): Promise<unknown[]> {
    const source = kafkaSource({
      brokers: this.parts.broker.address,
      topics: topic,
      value: json(type as typeof entryType),
      stop: 'latest',
    })
    const reading = await SourceRun.start(source as never, { parallelism: 1, batchSize: 4_096 })
    await reading.runToEnd()
    await reading.close()
    return reading.emitted.map(one => one.value)
  }

  /** Transactions that are open after the end hold readers up. */
  async #lingering(): Promise<readonly string[]> {
    const open = await this.parts.broker.openTransactions()
    return open.map(id => `the transaction ${id} was left open`)
  }
}
