import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { askableQuery, defineFields, fixed, shown, stamps } from '../field.ts'
import { creates, deletes, gets, lists } from '../method.ts'
import { idPageRequest } from '../page.ts'
import { id, locator, plainName } from '../value/names.ts'
import { orderMethods, stateMethod } from './job.ts'

const state = z.enum(['planned', 'built'])

export const dependencyFields = defineFields('Dependency', {
  id: shown(id),
  /** The Foundation that waits. */
  foundation: fixed(locator, { filter: z.string() }),
  /** The Structure that it waits for … */
  structure: fixed(id.nullable().default(null), { filter: z.number().int() }),
  /** … or the Dependency. */
  dependency: fixed(id.nullable().default(null)),
  /** A hard one pulls its Foundation back when it is destroyed. */
  link: fixed(z.enum(['soft', 'hard']).default('soft')),
  /** Where its scripts run; on the Structure that is waited for unless said. */
  scriptStructure: fixed(id.nullable().default(null), { shown: id }),
  createScript: fixed(plainName.nullable().default(null)),
  destroyScript: fixed(plainName.nullable().default(null)),
  state: shown(state, { filter: state }),
  builtAt: shown(z.iso.datetime().nullable()),
  ...stamps,
})
export const { view: dependencyView } = dependencyFields
export type DependencyView = z.output<typeof dependencyView>

export const dependencyInput = dependencyFields.input.refine(
  input => (input.structure === null) !== (input.dependency === null),
  {
    message: 'exactly one of structure and dependency is needed',
    path: ['structure'],
  },
)

export const dependencyQuery = askableQuery(dependencyFields.filter, idPageRequest)

const called = { one: 'a Dependency', many: 'Dependencies' }

export const dependency = defineNoun({
  ...{ name: 'Dependency', path: 'dependencies', part: 'dependencies', key: { name: 'id', schema: id } },
  ...({ subject: 'dependency', events: ['created', 'deleted', 'built', 'destroyed'] } as const),
  methods: {
    create: creates(dependencyInput, dependencyView, called),
    get: gets(dependencyView, called),
    list: lists(dependencyQuery, dependencyView, called),
    delete: deletes(called),
    setBuilt: stateMethod('built', dependencyView),
    setDestroyed: stateMethod('destroyed', dependencyView),
    ...orderMethods,
  },
})
