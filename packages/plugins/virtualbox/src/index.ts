export { virtualboxComplex } from './connection.ts'
export { quirks } from './quirks.ts'
export { virtualbox } from './virtualbox.ts'
