import { createDeviceFunctions, defineMachine, definePower, defineSnapshots, specOf } from '@contractor/driver'
import {
  type ComplexContext,
  defineDiscover,
  defineFoundation,
  defineRead,
  type FoundationContext,
  type FunctionContext,
} from '@contractor/plugin'
import { z } from 'zod'
import { type ComplexFields, type Fields, fields, reach, uuid, virtualboxComplex } from './connection.ts'
import { isoPath, machineSpec, specKeys } from './machine-spec.ts'
import { tasks } from './tasks.ts'

type Context = FunctionContext<Fields, ComplexFields>
type Foundation = FoundationContext<Fields, ComplexFields>
const connection = ({ foundation }: Context) => reach(foundation)

const machine = defineMachine<Fields, ComplexFields>({
  ...{ tasks, spec: machineSpec, id: uuid, idField: 'virtualbox_uuid', reach },
})
const ask = createDeviceFunctions(connection)
const isLocator = (name: string) => /^[a-zA-Z][a-zA-Z0-9_-]{0,99}$/.test(name)

/** A virtual machine of VirtualBox, named as its Foundation. */
export const virtualbox = defineFoundation({
  type: 'VirtualBox',
  classes: ['VM', 'VirtualBox'],
  complex: virtualboxComplex,
  fields,
  tasks,
  values: {
    virtualbox_uuid: machine.idValue,
    virtualbox_complex: { get: ({ complex }) => complex?.name ?? null },
    virtualbox_vmspec: {
      description: 'What the Structure on it wants of a machine, for virtualbox.create().',
      readsConfig: true,
      get: (_foundation, structure) => machineSpec.parse(specOf(structure, specKeys)),
    },
  },
  config: ({ fields: { virtualbox_uuid }, complex }) => ({
    _virtualbox_uuid: virtualbox_uuid ?? null,
    _virtualbox_complex: complex,
  }),
  read: defineRead({
    task: tasks.look,
    params: (foundation: Foundation) => reach(foundation),
    seen: ({ state, id, details }) => ({
      exists: state !== 'gone',
      fields: { virtualbox_uuid: id ?? undefined },
      details: { ...details, power: state },
    }),
  }),
  discover: defineDiscover({
    task: tasks.list,
    identity: ['virtualbox_uuid'],
    params: ({ complex }: { site: string; complex?: ComplexContext<ComplexFields> }) => {
      if (!complex) throw new Error('Machines are found on a Complex: name one')
      return { host: complex.name }
    },
    found: ({ machines }) =>
      machines
        .filter(({ name }) => isLocator(name))
        .map(({ name, id }) => ({ locator: name, fields: { virtualbox_uuid: id } })),
  }),
  functions: {
    ...definePower({ tasks, connection, exhausted: 'paused' }),
    ...machine.functions,
    ...defineSnapshots(tasks, connection),
    insert_iso: ask({
      description: 'Puts an ISO of the host into its drive, in place of the one that is in; None empties the drive.',
      args: z.object({ iso: isoPath.nullable() }),
      ...{ task: tasks.set_iso, result: z.boolean(), value: ({ changed }) => changed, message: 'Changing the ISO' },
    }),
  },
  moduleFunctions: machine.moduleFunctions,
})
