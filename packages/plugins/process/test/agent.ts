import { createHandlerContext } from '@contractor/plugin/testing'
import { handlers } from '../src/handlers/index.ts'

// An agent of one Task: reads the start’s parameters from its arguments, and says the pid.
const params: unknown = JSON.parse(process.argv[2] ?? '')
const context = createHandlerContext()
const reply = await handlers.run('start', params, context)
process.stdout.write(`${JSON.stringify(reply)}\n`)
setInterval(() => {}, 1000)
