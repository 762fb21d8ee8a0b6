import { defineHandlers } from '@contractor/plugin'
import { linux } from '../linux.ts'
import { configure, unconfigure } from './configure.ts'
import { install } from './packages.ts'
import { look, probe, run } from './run.ts'
import { service } from './services.ts'

/** The Tasks of module `linux`. */
export const handlers = defineHandlers(linux, { look, install, configure, unconfigure, service, run, probe })
