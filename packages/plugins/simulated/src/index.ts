export { simulated, simulatedComplex, simulatedGuest } from './simulated.ts'
