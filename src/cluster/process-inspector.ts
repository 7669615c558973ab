/**
 * What a process of a job does inside, for people who look for the reason: its heap, its event
 * loop, and where its time goes. Plain JSON, so that a process may answer for another one.
 */

export interface ProcessInspector {
  /** `windowMs`: how long collections are watched. */
  heap(windowMs: number): Promise<HeapReport>
  threads(windowMs: number): Promise<ThreadReport>
  flameGraph(windowMs: number): Promise<FlameGraph>
}

/** The processes of one job: the jobmanager, and slots that are processes of their own. */
export interface InspectedProcesses {
  readonly names: readonly string[]
  of(name: string): ProcessInspector | undefined
}

export interface HeapReport {
  readonly pid: number
  readonly residentBytes: number
  readonly heapUsedBytes: number
  readonly heapSizeBytes: number
  /** Beyond this the process ends. */
  readonly heapLimitBytes: number
  /** Buffers and the like, outside of the heap. */
  readonly externalBytes: number
  readonly spaces: readonly {
    readonly name: string
    readonly usedBytes: number
    readonly sizeBytes: number
  }[]
  readonly windowMs: number
  /** Garbage collections within the window. */
  readonly collections: readonly {
    readonly kind: string
    readonly count: number
    readonly totalMs: number
    readonly longestMs: number
  }[]
}

/** Node runs JavaScript on one thread: what it does, and how long others wait for it. */
export interface ThreadReport {
  readonly pid: number
  readonly windowMs: number
  /** Share of the window that the event loop was at work, 0 to 1. */
  readonly utilization: number
  /** How much later than due a timer is called. */
  readonly delayMs: { readonly mean: number; readonly p99: number; readonly longest: number }
  /** What keeps the event loop going: sockets, timers, files. */
  readonly resources: readonly { readonly kind: string; readonly count: number }[]
  /** Functions with the most time of their own, the hottest first. */
  readonly hottest: readonly HotFunction[]
}

export interface HotFunction extends CodePlace {
  readonly selfMs: number
  /** Of the window, 0 to 1. */
  readonly share: number
}

export interface CodePlace {
  readonly name: string
  /** Empty for what is not JavaScript. */
  readonly file: string
  readonly line: number
}

export interface FlameGraph {
  readonly pid: number
  readonly windowMs: number
  readonly root: FlameNode
}

export interface FlameNode extends CodePlace {
  readonly selfMs: number
  /** With everything that it called. */
  readonly totalMs: number
  /** The longest first; those of hardly any time are left out. */
  readonly children: readonly FlameNode[]
}
