import { defineHandlers } from '@contractor/plugin'
import { processFoundation } from '../process-foundation.ts'
import { prepareDirectory } from './prepare-directory.ts'
import { processStatus } from './process-status.ts'
import { removeDirectory } from './remove-directory.ts'
import { startProcess } from './start-process.ts'
import { stopProcess } from './stop-process.ts'
import { writeFile } from './write-file.ts'

/** The Tasks of module `process`, done on the agent's own machine. POSIX only: it stands on process groups. */
export const handlers = defineHandlers(processFoundation, {
  prepare: prepareDirectory,
  write_file: writeFile,
  start: startProcess,
  stop: stopProcess,
  status: processStatus,
  remove: removeDirectory,
})
