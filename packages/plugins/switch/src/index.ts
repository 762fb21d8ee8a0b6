export { models } from './models.ts'
export { quirks } from './quirks.ts'
export { networkSwitch } from './switch.ts'
