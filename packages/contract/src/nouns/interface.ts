import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { defineFields, listQuery, shown, stamps } from '../field.ts'
import { creates, deletes, gets, lists, method, updates } from '../method.ts'
import { idPageRequest } from '../page.ts'
import { json } from '../primitives/json.ts'
import { macText } from '../value/mac.ts'
import { id, interfaceName, locator, plainName } from '../value/names.ts'

const parameters = z.record(z.string(), json)
const members = z.array(interfaceName).min(1, 'must name one member at least')
/** Switches name their ports as they like: `Port 2`, `Gi1/0/1`, `1:12`. The first slash is the one between the two. */
const neighbour = z
  .string()
  .trim()
  .max(200, 'must be 200 characters at the most')
  .regex(
    /^[^/\p{Cc}]*[^/\p{Cc}\s]\s*\/\s*[^\s\p{Cc}][^\p{Cc}]*$/u,
    'must be the switch and its port, as switch1/ge-0/0/7',
  )
  .transform(written => written.replace(/\s*\/\s*/, '/'))

export const realInterface = z.strictObject({
  kind: z.literal('real'),
  /** The locator of its Foundation. */
  foundation: locator,
  name: interfaceName,
  mac: macText.nullable().default(null),
  physicalLocation: interfaceName.nullable().default(null),
  /** The switch and its port, as LLDP reports them there. */
  neighbour: neighbour.nullable().default(null),
  /** Booted and installed from; setting it on one takes it from the Foundation's others. */
  provisioning: z.boolean().default(false),
  network: plainName.nullable().default(null),
  pxe: plainName.nullable().default(null),
})

export const abstractInterface = z.strictObject({
  kind: z.literal('abstract'),
  /** The id of its Structure. */
  structure: id,
  name: interfaceName,
  network: plainName.nullable().default(null),
})

export const aggregatedInterface = abstractInterface.extend({
  kind: z.literal('aggregated'),
  /** Names of real interfaces of its Foundation, or abstract ones of its Structure, in their order. */
  members,
  parameters: parameters.default({}),
})

export const interfaceInput = z.discriminatedUnion('kind', [realInterface, abstractInterface, aggregatedInterface])
export type InterfaceInput = z.output<typeof interfaceInput>

// Without the defaults of creation: what is not given stays as it is.
const connection = { name: interfaceName, network: plainName.nullable() }
const ofReal = {
  mac: macText.nullable(),
  physicalLocation: interfaceName.nullable(),
  neighbour: neighbour.nullable(),
  provisioning: z.boolean(),
  pxe: plainName.nullable(),
}
const ofAggregated = { members, parameters }
export const interfaceChangesByKind = {
  real: z.strictObject({ ...connection, ...ofReal }).partial(),
  abstract: z.strictObject(connection).partial(),
  aggregated: z.strictObject({ ...connection, ...ofAggregated }).partial(),
} as const

/** What one may change; which of it depends on the interface's kind, and is checked where that is known. */
export const interfaceChanges = z.strictObject({ ...connection, ...ofReal, ...ofAggregated }).partial()
export type InterfaceChanges = z.input<typeof interfaceChanges>

export const interfaceFields = defineFields('Interface', {
  id: shown(z.number().int()),
  kind: shown(z.enum(['real', 'abstract', 'aggregated'])),
  name: shown(z.string()),
  /** Of a real one. */
  foundation: shown(z.string().nullable(), { filter: z.string() }),
  /** Of an abstract or aggregated one. */
  structure: shown(z.number().int().nullable(), { filter: z.number().int() }),
  network: shown(z.string().nullable(), { filter: z.string() }),
  mac: shown(z.string().nullable(), { filter: macText }),
  physicalLocation: shown(z.string().nullable()),
  neighbour: shown(z.string().nullable()),
  provisioning: shown(z.boolean()),
  pxe: shown(z.string().nullable()),
  members: shown(z.array(z.string())),
  parameters: shown(parameters),
  ...stamps,
})
export const { view: interfaceView } = interfaceFields
export type InterfaceView = z.output<typeof interfaceView>

export const interfaceQuery = listQuery(interfaceFields.filter, idPageRequest)
const called = { one: 'an Interface', many: 'Interfaces' }

export const networkInterface = defineNoun({
  ...{ name: 'Interface', path: 'interfaces', part: 'interfaces', key: { name: 'id', schema: id } },
  ...({ subject: 'interface', events: ['created', 'changed', 'deleted'] } as const),
  methods: {
    create: creates(interfaceInput, interfaceView, called),
    createMany: method({
      ...({ on: 'all', verb: 'post', path: '/many', gives: ['items'], under: 'ids', status: 201 } as const),
      body: z.strictObject({ items: z.array(interfaceInput).min(1).max(10_000) }),
      output: z.object({ ids: z.array(z.number().int()) }),
      summary: 'Make many Interfaces, all or none, in their order',
    }),
    get: gets(interfaceView, called),
    list: lists(interfaceQuery, interfaceView, called),
    update: updates(interfaceChanges, interfaceView, called),
    delete: deletes(called),
  },
})
