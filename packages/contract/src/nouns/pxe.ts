import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { defineFields, field, fixed, listQuery, stamps } from '../field.ts'
import { deletes, gets, lists, puts } from '../method.ts'
import { lines } from '../value/line-ends.ts'
import { plainName } from '../value/names.ts'
import { saved } from './saved.ts'

/** What a network-booting machine is given: a boot script (for iPXE) and a template (for the installer), both in Jinja2. */
export const pxeFields = defineFields('PXE', {
  name: fixed(plainName),
  bootScript: field(lines(z.string())),
  template: field(lines(z.string()).default('')),
  ...stamps,
})
export const { input: pxeInput, view: pxeView } = pxeFields
export type PxeInput = z.output<typeof pxeInput>
export type Pxe = z.output<typeof pxeView>

export const pxeQuery = listQuery(pxeFields.filter)
const called = { one: 'a PXE', many: 'PXEs' }

export const pxe = defineNoun({
  ...{ name: 'PXE', path: 'pxes', part: 'pxes', key: { name: 'name', schema: plainName } },
  ...({ subject: 'pxe', events: ['created', 'changed', 'deleted'] } as const),
  methods: {
    put: puts({ name: plainName }, pxeInput.omit({ name: true }), saved, called),
    get: gets(pxeView, called),
    list: lists(pxeQuery, pxeView, called),
    delete: deletes(called),
  },
})
