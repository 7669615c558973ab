/** One real part of the testbed: how it is installed, started, and found where it already runs. */
export interface Part {
  readonly name: PartName
  /** What it is, with its version. */
  readonly title: string
  /** The variable that names one that already runs; the others of `environment` go with it. */
  readonly foundBy: string
  /** Fetches or builds it; does nothing where that was done before. */
  install(): Promise<void>
  /** Starts one in the folder, or starts it again on the data that lies there. */
  start(options: PartOptions): Promise<PartEnvironment>
}

export type PartName = 's3' | 'kafka' | 'kube' | 'kube-control' | 'kube-fake'

export interface PartOptions {
  readonly folder: string
  /** The process it ends with; 0: it runs until `stopServer`. */
  readonly owner: number
  /** Address of the machine that it listens at, where a part can; default: the loopback. */
  readonly host?: string | undefined
}

/** What a process needs to reach the part, as environment variables. */
export type PartEnvironment = Readonly<Record<string, string>>
