export { processFoundation } from './process-foundation.ts'
