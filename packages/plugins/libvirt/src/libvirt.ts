import { createDeviceFunctions, defineMachine, definePower, defineSnapshots, locationsOf } from '@contractor/driver'
import { defineFoundation, defineTaskFunction, type FunctionContext } from '@contractor/plugin'
import { z } from 'zod'
import { type ComplexFields, type Fields, fields, hostOf, libvirtComplex, reach, uuid } from './connection.ts'
import { isoPath, machineSpec, specKeys } from './machine-spec.ts'
import { tasks } from './tasks.ts'

type Context = FunctionContext<Fields, ComplexFields>
const connection = ({ foundation }: Context) => reach(foundation)
const ask = createDeviceFunctions(connection)

const { functions, ...machine } = defineMachine<Fields, ComplexFields>({
  ...{ tasks, prefix: 'libvirt', spec: machineSpec, specKeys, id: uuid, idField: 'libvirt_uuid', reach },
  hostOf: complex => hostOf(complex.fields),
})

const addresses = defineTaskFunction({
  description:
    'Reads its addresses: a map by the physical locations of its ports. Of the guest agent, else of the host’s DHCP; without both, empty lists.',
  args: z.object({}),
  readsConfig: true,
  task: tasks.addresses,
  params: (_args, context: Context) => ({ ...connection(context), locations: locationsOf(context) }),
  result: z.record(z.string(), z.array(z.string())),
  value: ({ address_map }) => address_map,
  message: () => 'Reading its addresses',
  idempotent: true,
})

/** A virtual machine of libvirt, named as its Foundation. */
export const libvirt = defineFoundation({
  ...machine,
  type: 'LibVirt',
  classes: ['VM', 'LibVirt'],
  complex: libvirtComplex,
  fields,
  tasks,
  functions: {
    ...definePower({ tasks, connection, exhausted: 'paused' }),
    ...functions,
    ...defineSnapshots(tasks, connection),
    addresses,
    insert_iso: ask({
      description: 'Puts an ISO of the host into its drive, in place of the one that is in; None empties the drive.',
      args: z.object({ iso: isoPath.nullable() }),
      ...{ task: tasks.set_iso, result: z.boolean(), value: ({ changed }) => changed, message: 'Changing the ISO' },
    }),
  },
})
