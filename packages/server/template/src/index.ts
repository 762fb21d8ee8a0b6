export { lamp } from './lamp.js'
