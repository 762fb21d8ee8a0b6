import { defineHandlers } from '@contractor/core/plugin'
import { press } from './index.js'

/** Return at once, so that what is measured is all but the work itself. */
const answer = async ({ number }) => ({ stamped: number })
export const handlers = defineHandlers(press, { stamp: answer, flatten: answer })
