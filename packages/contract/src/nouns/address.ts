import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { defineFields, listQuery, shown, stamps } from '../field.ts'
import { creates, createsMany, deletes, gets, itemsOf, lists, method, updates } from '../method.ts'
import { idPageRequest } from '../page.ts'
import { ipText } from '../value/ip.ts'
import { id, interfaceName, plainName } from '../value/names.ts'

const alias = z.number().int().min(1).max(9999)
const reason = z.string().max(200, 'must be 200 characters at the most')
const kinds = z.enum(['static', 'reserved', 'dynamic'])

const staticOwner = {
  kind: z.literal('static').default('static'),
  /** The id of its Structure. */
  structure: id,
  /** One of the Structure, or of its Foundation. */
  interface: interfaceName.optional(),
  /** Counts further addresses of an interface that want a name of their own, as `eth0:1`. */
  alias: alias.optional(),
  /** Instead of an interface: the id of the address that this one leads to. */
  pointer: id.optional(),
  /** By which the Structure is known. Its first address on an interface is that, unless said otherwise. */
  primary: z.boolean().optional(),
}
const reservedOwner = { kind: z.literal('reserved'), /** For what it is set aside. */ reason: reason.default('') }
const dynamicOwner = { kind: z.literal('dynamic'), /** What a machine that gets it boots. */ pxe: plainName.optional() }

/** Where it is to be: an address, in the block that has it; or a block, and how far from its beginning. */
const place = {
  ip: ipText.optional(),
  addressBlock: plainName.optional(),
  offset: z.number().int().nonnegative().optional(),
  /** Of an address without a Structure and without a named block: the Site whose blocks are searched. */
  site: plainName.optional(),
}

/** `kind` is `static` unless said: zod chooses by it before it fills in defaults. */
const orStatic = <Union extends z.ZodType>(union: Union) =>
  z.preprocess(
    (given: unknown) =>
      typeof given === 'object' && given !== null && !Array.isArray(given) && !('kind' in given)
        ? { ...given, kind: 'static' }
        : given,
    union,
  ) as unknown as z.ZodType<z.output<Union>, z.input<Union>>

export const addressInput = orStatic(
  z.discriminatedUnion('kind', [
    z.strictObject({ ...place, ...staticOwner }),
    z.strictObject({ ...place, ...reservedOwner }),
    z.strictObject({ ...place, ...dynamicOwner }),
  ]),
)
export type AddressInput = z.output<typeof addressInput>

/** What an address is for, without its place. */
export const addressOwner = orStatic(
  z.discriminatedUnion('kind', [
    z.strictObject(staticOwner),
    z.strictObject(reservedOwner),
    z.strictObject(dynamicOwner),
  ]),
)
export type AddressOwner = z.output<typeof addressOwner>

const search = { addressBlock: plainName, order: z.enum(['lowest', 'random']).default('lowest') }
const searchOne = { ...search, ip: ipText.optional() }

export const nextAddressInput = orStatic(
  z.discriminatedUnion('kind', [
    z.strictObject({ ...searchOne, ...staticOwner }),
    z.strictObject({ ...searchOne, ...reservedOwner }),
    z.strictObject({ ...searchOne, ...dynamicOwner }),
  ]),
)

export const nextAddressesInput = z.strictObject({ ...search, addresses: z.array(addressOwner).min(1) })

// Without the defaults of creation: what is not given stays as it is.
const moved = { ip: ipText, addressBlock: plainName }
const ofStatic = { interface: interfaceName, alias: alias.nullable(), pointer: id, primary: z.boolean() }
const ofDynamic = { pxe: plainName.nullable() }
export const addressChangesByKind = {
  static: z.strictObject({ ...moved, ...ofStatic }).partial(),
  reserved: z.strictObject({ ...moved, reason }).partial(),
  dynamic: z.strictObject({ ...moved, ...ofDynamic }).partial(),
} as const

/** What one may change; which of it depends on the address's kind, and is checked where that is known. */
export const addressChanges = z.strictObject({ ...moved, ...ofStatic, reason, ...ofDynamic }).partial()
export type AddressChanges = z.input<typeof addressChanges>

export const addressFields = defineFields('Address', {
  id: shown(z.number().int()),
  addressBlock: shown(z.string(), { filter: plainName }),
  ip: shown(z.string(), { filter: ipText }),
  kind: shown(kinds, { filter: kinds }),
  structure: shown(z.number().int().nullable(), { filter: z.number().int() }),
  interface: shown(z.string().nullable()),
  alias: shown(z.number().int().nullable()),
  pointer: shown(z.number().int().nullable()),
  primary: shown(z.boolean()),
  pxe: shown(z.string().nullable()),
  reason: shown(z.string()),
  ...stamps,
})
export const { view: addressView } = addressFields
export type AddressView = z.output<typeof addressView>

export const addressQuery = listQuery(addressFields.filter, idPageRequest)
const called = { one: 'an Address', many: 'Addresses' }

export const address = defineNoun({
  ...{ name: 'Address', path: 'addresses', part: 'addresses', key: { name: 'id', schema: id } },
  ...({ subject: 'address', events: ['created', 'changed', 'deleted'] } as const),
  methods: {
    create: creates(addressInput, addressView, called),
    createMany: createsMany(addressInput, addressView, called),
    next: method({
      ...({
        on: 'all',
        verb: 'post',
        path: '/next',
        body: nextAddressInput,
        output: addressView,
        status: 201,
      } as const),
      summary: 'Take a free Address of a block: the lowest unless `order` is `random`, or the one that is wanted',
    }),
    nextMany: method({
      ...({
        on: 'all',
        verb: 'post',
        path: '/next-many',
        body: nextAddressesInput,
        under: 'items',
        status: 201,
      } as const),
      output: itemsOf(addressView),
      summary: 'Take a free Address for each of `addresses`, all or none, in their order',
    }),
    get: gets(addressView, called),
    list: lists(addressQuery, addressView, called),
    update: updates(addressChanges, addressView, called),
    delete: deletes(called),
  },
})
