export { libvirtComplex } from './connection.ts'
export { libvirt } from './libvirt.ts'
export { quirks } from './quirks.ts'
