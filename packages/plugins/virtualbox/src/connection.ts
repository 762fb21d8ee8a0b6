import { machineName, machineNameOf } from '@contractor/driver'
import { defineComplex, type FoundationContext } from '@contractor/plugin'
import { z } from 'zod'

export const virtualboxComplex = defineComplex({
  type: 'VirtualBox',
  description: 'A host with VirtualBox; its agent runs there, as the user whose machines they are',
  fields: z.object({
    virtualbox_folder: z
      .string()
      .max(1000)
      .regex(/^\/[^\p{Cc}]*$/u, 'must be an absolute path')
      .optional()
      .describe('Where its machines’ files are; VirtualBox’s own default folder unless said'),
  }),
})
export type ComplexFields = z.output<typeof virtualboxComplex.fields>

export const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'must be a UUID')

export const fields = z.object({ virtualbox_uuid: uuid.optional().describe('The machine, once it is made') })
export type Fields = z.output<typeof fields>

/** What leads to a machine. */
export const machine = z.object({
  /** The Complex: whose host it is. */
  host: z.string(),
  folder: z.string().nullable(),
  name: machineName,
  id: uuid.nullable(),
})
export type Machine = z.output<typeof machine>

export function reach(foundation: FoundationContext<Fields, ComplexFields>): Machine {
  const { complex, locator, fields: own } = foundation
  if (!complex) throw new Error(`Foundation '${locator}' has no Complex that provides it`)
  return {
    host: complex.name,
    folder: complex.fields.virtualbox_folder ?? null,
    name: machineNameOf(foundation),
    id: own.virtualbox_uuid ?? null,
  }
}
