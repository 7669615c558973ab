/** The door of a taskmanager process. */
import { setSourceMapsSupport } from 'node:module'
import process from 'node:process'
import { findInstallation } from '../cli/installation.ts'
import { runTaskManager } from '../cluster/taskmanager/run-taskmanager.ts'
import { processHost } from './process-host.ts'

setSourceMapsSupport(true, { nodeModules: false, generatedCode: false })
process.exit(await runTaskManager(processHost(findInstallation().version, import.meta.url)))
