import { json } from '@contractor/contract'
import type { ModulePlugin } from '@contractor/plugin'
import { defineFunction } from '@contractor/plugin'
import { z } from 'zod'

const setConfig = defineFunction({
  description:
    'Changes one of the config values that the Structure itself has. `list.0.name` goes into lists and maps.',
  args: z.object({ name: z.string(), value: json }),
  state: z.object({ name: z.string(), value: json }),
  result: z.literal(true),
  start: args => args,
  outcome: ({ name, value }) => ({ kind: 'done', value: true as const, config: { [name]: value } }),
})

/** The engine's own functions of `structure` in scripts. */
export const structureModule: ModulePlugin = {
  kind: 'module',
  module: 'structure',
  tasks: {},
  functions: { set_config: setConfig },
}
