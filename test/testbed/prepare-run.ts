/**
 * Brings up what a manifest needs: a broker with the topics that it names, an S3 server with the
 * bucket of its checkpoints. Prints what `weir run` must be told, as JSON.
 */
import { readFileSync } from 'node:fs'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { Kafka, logLevel } from 'kafkajs'
import { parse } from 'yaml'
import type { PartEnvironment } from './part.ts'

interface Manifest {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> }
  readonly spec?: { readonly checkpoint?: { readonly storage?: string } }
}

/** What the run is told beside what its user said. */
export interface PreparedRun {
  readonly environment: PartEnvironment
  readonly set: readonly string[]
}

export interface PreparedParts {
  readonly kafka: PartEnvironment
  readonly s3: PartEnvironment
}

export async function prepareRun(file: string, parts: PreparedParts): Promise<PreparedRun> {
  const manifest = parse(readFileSync(file, 'utf8')) as Manifest
  const brokers = parts.kafka.WEIR_TESTBED_KAFKA ?? ''
  await makeTopics(brokers, manifest.metadata?.annotations?.['weir.dev/testbed-topics'] ?? '')
  const bucket = /^s3:\/\/([^/?]+)/.exec(manifest.spec?.checkpoint?.storage ?? '')?.[1]
  if (bucket !== undefined) await makeBucket(parts.s3, bucket)
  return {
    environment: { ...parts.kafka, ...parts.s3 },
    set: [`spec.job.args.brokers=${brokers}`],
  }
}

/** `name=partitions`, several with commas between; those that are there stay as they are. */
async function makeTopics(brokers: string, wanted: string): Promise<void> {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const there = await admin.listTopics()
    const topics = wanted
      .split(',')
      .map(one => one.trim().split('='))
      .map(([topic = '', count = '1']) => ({ topic, numPartitions: Number(count) }))
      .filter(({ topic }) => topic !== '' && !there.includes(topic))
    if (topics.length > 0) await admin.createTopics({ topics, waitForLeaders: true })
  } finally {
    await admin.disconnect()
  }
}

async function makeBucket(environment: PartEnvironment, bucket: string): Promise<void> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
    environment
  const client = new S3Client({
    endpoint: environment.WEIR_TESTBED_S3 ?? '',
    region: environment.AWS_REGION ?? 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  })
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
  } catch (error) {
    if (!/BucketAlready/.test((error as Error).name)) throw error
  } finally {
    client.destroy()
  }
}
