import type { ModulePlugin } from '@contractor/plugin'
import { defineFunction } from '@contractor/plugin'
import { z } from 'zod'

const setPxe = defineFunction({
  description: 'Says what a machine that boots from this interface is given from now on.',
  args: z.object({
    /** The name of an interface of the Foundation, as `structure.provisioning_interface` has it. */
    interface: z.string().nullable(),
    pxe: z.string(),
  }),
  state: z.object({ interface: z.string().nullable(), pxe: z.string() }),
  result: z.literal(true),
  start: args => args,
  outcome: state =>
    state.interface === null
      ? { kind: 'error', message: 'dhcp.set_pxe needs an interface: there is no provisioning interface' }
      : { kind: 'done', value: true as const, pxe: { [state.interface]: state.pxe } },
})

/** The engine's own module for scripts: `dhcp.set_pxe( interface=…, pxe=… )`. */
export const dhcpModule: ModulePlugin = { kind: 'module', module: 'dhcp', tasks: {}, functions: { set_pxe: setPxe } }
