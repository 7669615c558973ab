/**
 * The keys between the controller and the processes of a job. All are derived: the controller makes
 * that of an epoch again where it needs it, and never reads the Secret that it wrote for the pods.
 *
 *   master key (of the installation) ──uid, epoch──▶ epoch key (in the job's Secret) ──▶ link key
 *
 * Keys of two epochs tell nothing of each other, nor of the master key: HKDF with SHA-256.
 */
import { hkdfSync } from 'node:crypto'

export interface EpochIdentity {
  /** Of the StreamJob: a job that is made again has other keys. */
  readonly uid: string
  readonly epoch: number
}

export interface LinkKey {
  /** Both ends of a TLS connection must know it. */
  readonly secret: Buffer
  /** Tells which key this is, and nothing about it: an installation may have older master keys. */
  readonly name: string
}

const KEY_BYTES = 32
const NAME_BYTES = 8

/** As the processes of the epoch find it in their Secret. */
export function epochKey(master: string, { uid, epoch }: EpochIdentity): string {
  return derive(master, `weir 1 epoch ${epoch} of ${uid}`, KEY_BYTES).toString('hex')
}

/** Of the REST API that a jobmanager serves to the controller. */
export function linkKey(ofEpoch: string): LinkKey {
  return {
    secret: derive(ofEpoch, 'weir 1 rest', KEY_BYTES),
    name: derive(ofEpoch, 'weir 1 rest name', NAME_BYTES).toString('hex'),
  }
}

function derive(key: string, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', purpose, bytes))
}
