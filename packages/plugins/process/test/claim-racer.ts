import { createInterface } from 'node:readline'
import { claimFolder } from '../src/supervision/pid-file.ts'

// Claims each folder that it is told, and says what came of it.
createInterface({ input: process.stdin }).on('line', folder => {
  process.stdout.write(claimFolder(folder).held ? 'held\n' : 'lost\n')
})
