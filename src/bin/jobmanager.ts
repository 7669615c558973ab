/** The door of a jobmanager process. */
import { setSourceMapsSupport } from 'node:module'
import process from 'node:process'
import { findInstallation } from '../cli/installation.ts'
import { runJobManager } from '../cluster/jobmanager/run-jobmanager.ts'
import { processHost } from './process-host.ts'

setSourceMapsSupport(true, { nodeModules: false, generatedCode: false })
process.exit(await runJobManager(processHost(findInstallation().version, import.meta.url)))
