/** What passed over the connections of a process so far: plain fields, for whoever shows them. */
export class Traffic {
  /** Credits included. */
  bytesSent = 0
  bytesReceived = 0
  /** Data and events. */
  framesSent = 0
  framesReceived = 0
}
