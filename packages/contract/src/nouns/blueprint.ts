import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { defineFields, field, fixed, listQuery, stamps } from '../field.ts'
import { deletes, gets, lists, puts } from '../method.ts'
import { configValues, interfaceName, plainName } from '../value/names.ts'
import { shownValues } from './config.ts'
import { hardwareTemplate } from './hardware-template.ts'
import { saved } from './saved.ts'

export const blueprintFields = defineFields('BluePrint', {
  kind: fixed(z.enum(['structure', 'foundation']), { filter: z.enum(['structure', 'foundation']) }),
  name: fixed(plainName),
  description: field(z.string().default('')),
  /** BluePrints of the same kind, in the order in which they are inherited. */
  parents: field(z.array(plainName).default([])),
  /** What the BluePrint calls a script (create, destroy, or a utility name), and the script's name. */
  scripts: field(z.record(plainName, plainName).default({}), { shown: z.record(z.string(), z.string()) }),
  configValues: field(configValues.default({}), { shown: shownValues }),
  /** Of a FoundationBluePrint: the types that it may be used for; any unless said. */
  foundationTypes: field(z.array(z.string()).default([])),
  /** Of a StructureBluePrint: the FoundationBluePrints that it may stand on; any unless said. */
  foundationBlueprints: field(z.array(plainName).default([])),
  /** Of a FoundationBluePrint: what hardware must show before it is located. What it asks, its heirs ask as well. */
  template: field(hardwareTemplate.nullable().default(null)),
  /** Of a FoundationBluePrint: the ports of such a machine, for the physical locations of its interfaces. */
  physicalInterfaceNames: field(z.array(interfaceName).default([]), { shown: z.array(z.string()) }),
  ...stamps,
})
export const { input: blueprintInput, view: blueprintView } = blueprintFields
export type BlueprintInput = z.output<typeof blueprintInput>
export type Blueprint = z.output<typeof blueprintView>

export const blueprintQuery = listQuery(blueprintFields.filter)
const called = { one: 'a BluePrint', many: 'BluePrints' }

export const blueprint = defineNoun({
  ...{ name: 'BluePrint', path: 'blueprints', part: 'blueprints', key: { name: 'name', schema: plainName } },
  ...({ subject: 'blueprint', events: ['created', 'changed', 'deleted'] } as const),
  methods: {
    put: puts({ name: plainName }, blueprintInput.omit({ name: true }), saved, called),
    get: gets(blueprintView, called),
    list: lists(blueprintQuery, blueprintView, called),
    delete: deletes(called),
  },
})
