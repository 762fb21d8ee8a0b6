export { proxmoxComplex } from './connection.ts'
export { proxmox } from './proxmox.ts'
export { quirks } from './quirks.ts'
