import { defineHandlers } from '@contractor/plugin'
import { iputils } from '../iputils.ts'
import { pingHost } from './ping-host.ts'
import { waitForPort } from './wait-for-port.ts'

/** The Tasks of module `iputils`. */
export const handlers = defineHandlers(iputils, { ping: pingHost, wait_for_port: waitForPort })
