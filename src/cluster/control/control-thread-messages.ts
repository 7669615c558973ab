/**
 * The words between the thread of records and the control thread of a process. A line is one
 * control connection; its number is the same on both sides.
 */
import type { TlsSettings } from '../../runtime/network/peer-socket.ts'
import type { FailureReport } from '../slot-messages.ts'
import type { ConnectionEnd } from './control-connection.ts'
import type { HeartbeatTimes } from './heartbeat-watch.ts'

/** What a control thread begins with: plain, for it is copied. */
export interface ControlThreadSettings {
  readonly end: ControlEnd
  readonly jobId: string
  readonly secret: Uint8Array
  readonly tls: TlsSettings | undefined
  /** Of Weir. */
  readonly version: string
  readonly times: HeartbeatTimes
  /** See `LifeSigns`. */
  readonly signs: SharedArrayBuffer
}

export type ControlEnd =
  /** A taskmanager: dials this address for its slot. */
  | { readonly kind: 'dialer'; readonly address: string; readonly slot: number }
  /** A jobmanager: listens on this one. */
  | { readonly kind: 'listener'; readonly address: string }

export type ToControlThread =
  | { readonly kind: 'dial'; readonly line: number }
  | { readonly kind: 'send'; readonly line: number; readonly message: unknown }
  | { readonly kind: 'change'; readonly line: number; readonly times: HeartbeatTimes }
  /** What was sent before still leaves. */
  | { readonly kind: 'close'; readonly line: number }
  /** All connections, at once. */
  | { readonly kind: 'drop' }
  /** Answered by `ended` when nothing is open any more. */
  | { readonly kind: 'end' }

export type FromControlThread =
  | { readonly kind: 'listening'; readonly address: string }
  | { readonly kind: 'deaf'; readonly failure: FailureReport }
  | { readonly kind: 'opened'; readonly line: number }
  | { readonly kind: 'unopened'; readonly line: number; readonly failure: FailureReport }
  | { readonly kind: 'message'; readonly line: number; readonly message: unknown }
  | { readonly kind: 'closed'; readonly line: number; readonly end: LineEnd }
  /** Somebody who dialed did not come in. */
  | { readonly kind: 'refused'; readonly failure: FailureReport }
  | { readonly kind: 'ended' }

/** As `ConnectionEnd`, for another thread. */
export interface LineEnd {
  readonly cause: ConnectionEnd['cause']
  readonly how: string
  readonly failure: FailureReport | undefined
}

/** The way to another thread; both sides have one. */
export interface ThreadPort<In, Out> {
  post(message: Out): void
  listen(take: (message: In) => void): void
  close(): void
}

/** Starts a control thread. */
export type StartControlThread = (
  settings: ControlThreadSettings,
) => ThreadPort<FromControlThread, ToControlThread>
