import { machineName, machineNameOf } from '@contractor/driver'
import { defineComplex, type FoundationContext } from '@contractor/plugin'
import { z } from 'zod'

/** Parameters of a URI that lead somewhere; those that would run a program are none of them. */
const parameters = ['socket', 'keyfile', 'known_hosts', 'pkipath', 'mode']

/** What libvirt is reached by: `qemu:///system`, `qemu+ssh://root@host/system` … */
const uri = z
  .string()
  .max(500)
  .regex(/^[a-z]+(\+(unix|ssh|libssh2|tls|tcp))?:\/\/[^\s'"]*$/, 'must be a URI of libvirt, as qemu:///system')
  .refine(
    text => {
      const [, query = ''] = text.split('?', 2)
      return query.split('&').every(pair => !pair || parameters.includes(pair.split('=')[0] ?? ''))
    },
    `may have no other parameters than ${parameters.join(', ')}`,
  )

const poolName = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}$/, 'must be the name of a storage pool')

export const libvirtComplex = defineComplex({
  type: 'LibVirt',
  description: 'A host with libvirt, as its agent reaches it',
  fields: z.object({
    libvirt_uri: uri.default('qemu:///system'),
    libvirt_pool: poolName.default('default').describe('The storage pool that its machines’ disks are in'),
  }),
})
export type ComplexFields = z.output<typeof libvirtComplex.fields>

export const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'must be a UUID')

export const fields = z.object({ libvirt_uuid: uuid.optional().describe('The machine, once it is made') })
export type Fields = z.output<typeof fields>

/** What leads to a host. */
export const host = z.object({ uri, pool: poolName })
export type Host = z.output<typeof host>

export const hostOf = (own: ComplexFields): Host => ({ uri: own.libvirt_uri, pool: own.libvirt_pool })

/** What leads to a machine. */
export const machine = host.extend({ name: machineName, id: uuid.nullable() })
export type Machine = z.output<typeof machine>

export function reach(foundation: FoundationContext<Fields, ComplexFields>): Machine {
  const { complex, locator, fields: own } = foundation
  if (!complex) throw new Error(`Foundation '${locator}' has no Complex that provides it`)
  return { ...hostOf(complex.fields), name: machineNameOf(foundation), id: own.libvirt_uuid ?? null }
}
