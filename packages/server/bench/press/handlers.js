import { defineHandlers } from '@contractor/core/plugin'
import { press } from './index.js'

/** Returns at once, so that what is measured is all but the work itself. */
export const handlers = defineHandlers(press, { stamp: async ({ number }) => ({ stamped: number }) })
