export { models } from './models.ts'
export { outletFoundation, pdu, pduComplex } from './pdu.ts'
