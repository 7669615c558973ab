/** How the two ends of a control connection name themselves in its handshake. */
export const jobManagerRole = 'jobmanager'
export const taskManagerRole = 'taskmanager'

/** For each message of the handshake: the machine may be busy with starting the others. */
export const HANDSHAKE_TIMEOUT_MS = 5_000
