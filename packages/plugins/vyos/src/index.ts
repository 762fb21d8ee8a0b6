export { quirks } from './quirks.ts'
export { vyos } from './vyos.ts'
