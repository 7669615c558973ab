/** Why a real part does not run here, and what to do about it. */
export class TestbedError extends Error {
  readonly next: string
  /** True where the machine lacks something: tests that need the part are then skipped by name. */
  readonly isMissing: boolean

  constructor(message: string, next: string, isMissing = false) {
    super(message)
    this.next = next
    this.isMissing = isMissing
  }

  override toString(): string {
    return `${this.message}\n  next: ${this.next}`
  }
}
