import type { ModulePlugin } from '@contractor/plugin'
import { defineFunction } from '@contractor/plugin'
import { z } from 'zod'

const waitForCompletion = defineFunction({
  description: 'Waits until the machine that is being built reports that it is done, with the cookie of this Job.',
  args: z.object({}),
  state: z.object({ signalled: z.boolean() }),
  result: z.literal(true),
  start: () => ({ signalled: false }),
  receive: (state, reply) => (reply.kind === 'signal' ? { signalled: true } : state),
  outcome: ({ signalled }) => (signalled ? { kind: 'done', value: true as const } : { kind: 'pending' }),
  message: () => 'Waiting for the machine to report back',
})

/** The engine's own module for scripts: `signaling.wait_for_completion()`. */
export const signaling: ModulePlugin = {
  kind: 'module',
  module: 'signaling',
  tasks: {},
  functions: { wait_for_completion: waitForCompletion },
}
