import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { defineFields, field, fixed, listQuery, stamps } from '../field.ts'
import { deletes, gets, lists, puts } from '../method.ts'
import { lines } from '../value/line-ends.ts'
import { plainName } from '../value/names.ts'
import { saved } from './saved.ts'

export const scriptFields = defineFields('Script', {
  name: fixed(plainName),
  description: field(z.string().default('')),
  source: field(lines(z.string().max(1_000_000, 'must be 1,000,000 characters at the most'))),
  ...stamps,
})
export const { input: scriptInput, view: scriptView } = scriptFields
export type ScriptInput = z.output<typeof scriptInput>
export type Script = z.output<typeof scriptView>

export const scriptQuery = listQuery(scriptFields.filter)
const called = { one: 'a Script', many: 'Scripts' }

export const script = defineNoun({
  ...{ name: 'Script', path: 'scripts', part: 'scripts', key: { name: 'name', schema: plainName } },
  ...({ subject: 'script', events: ['created', 'changed', 'deleted'] } as const),
  methods: {
    put: puts(
      { name: plainName },
      scriptInput.omit({ name: true }),
      saved.extend({ warnings: z.array(z.string()) }),
      called,
    ),
    get: gets(scriptView, called),
    list: lists(scriptQuery, scriptView, called),
    delete: deletes(called),
  },
})
