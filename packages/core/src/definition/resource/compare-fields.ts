import { isDeepStrictEqual } from 'node:util'
import type { BlueprintInput, FieldChange, Json, PxeInput, ScriptInput } from '@contractor/contract'
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'

/** What a resource says, flat, under the names that its file has for them; without what is empty, which says nothing. */
type Fields = Readonly<Record<string, Json>>

export const scriptFields = ({ description, source }: ScriptInput): Fields => said({ description, script: source })

export const pxeFields = ({ bootScript, template }: PxeInput): Fields => said({ boot_script: bootScript, template })

export function blueprintFields(input: BlueprintInput): Fields {
  return {
    ...said({
      description: input.description,
      parents: input.parents,
      foundation_types: input.foundationTypes,
      foundation_blueprints: [...input.foundationBlueprints].sort(),
      template: input.template as Json,
      physical_interface_names: input.physicalInterfaceNames,
    }),
    ...under('scripts', input.scripts),
    ...under('config_values', input.configValues),
  }
}

const said = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== '' && value !== null && !isDeepStrictEqual(value, [])),
  )

const under = (table: string, values: Fields): Fields =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${table}.${key}`, value]))

/** What is different, by name. */
export function compareFields(before: Fields, after: Fields): FieldChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter(field => !isDeepStrictEqual(before[field], after[field]))
    .sort()
    .map(field => compareField(field, before[field], after[field]))
}

/** Beyond so many lines that differ, a diff would take long and help nobody. */
const mostEdits = 5_000

function compareField(field: string, before: Json | undefined, after: Json | undefined): FieldChange {
  if (isText(before) && isText(after) && `${before ?? ''}${after ?? ''}`.includes('\n')) {
    const diff = createTwoFilesPatch(field, field, before ?? '', after ?? '', undefined, undefined, {
      ...{ headerOptions: FILE_HEADERS_ONLY, context: 3, maxEditLength: mostEdits },
    })
    if (diff !== undefined) return { field, diff }
  }
  return { field, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }
}

const isText = (value: Json | undefined): value is string | undefined =>
  value === undefined || typeof value === 'string'
