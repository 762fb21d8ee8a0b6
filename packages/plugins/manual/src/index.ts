export { manual, manualComplex, manualComplexFoundation } from './manual.ts'
