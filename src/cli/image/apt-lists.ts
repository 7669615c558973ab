import { runCommand } from './run-command.ts'

/**
 * Work that asks apt for packages. A bare machine has no lists of them, and old lists name archives
 * that are no longer there: where the work fails the lists are fetched, and it is tried once more.
 */
export async function withAptLists<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const update = { command: 'apt-get', args: ['update', '-q'], install: 'install apt' }
    const isUpdated = await runCommand(update).then(
      () => true,
      () => false,
    )
    if (!isUpdated) throw error
    return await work()
  }
}
