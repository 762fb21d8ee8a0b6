import { createDeviceFunctions, defineMachine, definePower, defineSnapshots } from '@contractor/driver'
import { defineFoundation, type FunctionContext } from '@contractor/plugin'
import { z } from 'zod'
import { type ComplexFields, type Fields, fields, reach, uuid, virtualboxComplex } from './connection.ts'
import { isoPath, machineSpec, specKeys } from './machine-spec.ts'
import { tasks } from './tasks.ts'

const connection = ({ foundation }: FunctionContext<Fields, ComplexFields>) => reach(foundation)
const ask = createDeviceFunctions(connection)

const { functions, ...machine } = defineMachine<Fields, ComplexFields>({
  ...{ tasks, prefix: 'virtualbox', spec: machineSpec, specKeys, id: uuid, idField: 'virtualbox_uuid', reach },
  hostOf: ({ name }) => ({ host: name }),
})

/** A virtual machine of VirtualBox, named as its Foundation. */
export const virtualbox = defineFoundation({
  ...machine,
  type: 'VirtualBox',
  classes: ['VM', 'VirtualBox'],
  complex: virtualboxComplex,
  fields,
  tasks,
  functions: {
    ...definePower({ tasks, connection, exhausted: 'paused' }),
    ...functions,
    ...defineSnapshots(tasks, connection),
    insert_iso: ask({
      description: 'Puts an ISO of the host into its drive, in place of the one that is in; None empties the drive.',
      args: z.object({ iso: isoPath.nullable() }),
      ...{ task: tasks.set_iso, result: z.boolean(), value: ({ changed }) => changed, message: 'Changing the ISO' },
    }),
  },
})
