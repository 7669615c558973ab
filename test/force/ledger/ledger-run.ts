/**
 * The ledger sample as a user runs it, between a broker and an S3 server of their own and two relays
 * that see and break what goes over. It makes up its transfers itself, in a transaction each time.
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
const PER_SECOND = 2_500
const PATIENCE_MS = 90_000
const POLL_MS = 250

export interface LedgerParts {
  readonly broker: OwnBroker
  readonly topics: TestTopics
  /** Of the S3 server, with credentials. */
  readonly environment: PartEnvironment
  readonly bucket: string
}

export interface LedgerOptions {
  readonly seed: number
  /** How many transfers are made up. */
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
  }

  static async open(options: LedgerOptions, parts: LedgerParts): Promise<LedgerRun> {
    const { topics, broker, environment } = parts
    const names = [await topics.make(PARTITIONS), await topics.make(PARTITIONS)]
    const kafka = await KafkaRelay.start(broker.address)
    const s3 = await FaultyProxy.start(environment.WEIR_TESTBED_S3 ?? '')
    return new LedgerRun(options, parts, { kafka, s3, names })
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
          'job.args.accounts': 40,
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
  async judge({ witness }: { readonly witness: boolean }): Promise<readonly string[]> {
    const { transfers: count } = this.#options
    const isThere = await this.#untilRead(2 * count)
    if (this.job.isRunning) await this.job.stopWithSavepoint()
    const transfers = await this.#read(this.#input, transferType)
    const entries = await this.#read(this.#output, entryType)
    const wrong = [
      ...(isThere ? [] : [`${entries.length} of ${2 * count} entries came: ${this.job.said}`]),
      ...checkTransfers(transfers as readonly Transfer[], count),
      ...checkLedger(transfers as readonly Transfer[], entries as readonly Entry[]),
      ...(await this.#lingering()),
    ]
    if (!witness || wrong.length > 0) return wrong
    const address = this.parts.broker.address
    const lines = await consoleConsumer({ address, topic: this.#output, count: 2 * count })
    const told = checkLedger(
      transfers as readonly Transfer[],
      lines.map(line => JSON.parse(line) as Entry),
    )
    return told.map(sentence => `the console consumer: ${sentence}`)
  }

  /** Ends what still runs and removes the folder. What is left of a failed run: see `kept`. */
  async end({ keep }: { readonly keep: boolean }): Promise<void> {
    for (const job of this.#jobs) if (job.isRunning) await job.kill()
    await this.kafka.close()
    await this.s3.close()
    if (keep) cpSync(this.folder, this.kept, { recursive: true })
    rmSync(this.folder, { recursive: true, force: true })
  }

  get kept(): string {
    return join(repository, '.weir/failed', basename(this.folder))
  }

  async #untilRead(count: number): Promise<boolean> {
    const startedMs = performance.now()
    while (performance.now() - startedMs < PATIENCE_MS) {
      if ((await this.#read(this.#output, entryType)).length >= count) return true
      if (!this.job.isRunning) return false
      await pause(POLL_MS)
    }
    return false
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
