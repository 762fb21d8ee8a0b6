export { iputils } from './iputils.ts'
