import { defineHandlers } from '@contractor/plugin'
import { ssh } from '../ssh.ts'
import { execute } from './execute.ts'
import { get, put } from './transfer.ts'

/** The Tasks of module `ssh`. */
export const handlers = defineHandlers(ssh, { execute, put, get })
