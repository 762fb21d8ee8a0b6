import { findNear } from '@contractor/contract'
import { type Condition, conditionsOf, type Filter, type Literal } from './filter.ts'
import type { FieldType, Filterable, FilterField } from './filterable.ts'
import { type FilterMistake, parseFilter, refuseFilter } from './parse-filter.ts'

/** Reads a filter for a noun: its fields are there, and what they are compared with is of their type. Throws FILTER_INVALID with all mistakes. */
export function readFilter(text: string, filterable: Filterable): Filter {
  const filter = parseFilter(text)
  const mistakes = conditionsOf(filter).flatMap(one => checkCondition(one, filterable) ?? [])
  if (mistakes.length) throw refuseFilter(text, mistakes)
  return filter
}

/** A path into a config; undefined for a field of the noun itself. */
export const configPath = (field: string): string | undefined => /^config\.(.+)$/.exec(field)?.[1]

function checkCondition(condition: Condition, { noun, fields, hasConfig }: Filterable): FilterMistake | undefined {
  const { field, at } = condition
  if (hasConfig && configPath(field) !== undefined) return checkOpen(condition)
  const known = Object.hasOwn(fields, field) ? fields[field] : undefined
  if (!known) {
    const near = findNear(field, Object.keys(fields))
    const all = [...Object.keys(fields), ...(hasConfig ? ['config.NAME'] : [])].join(', ')
    const suggestion = near === undefined ? `There are ${all}` : `Did you mean \`${near}\`?`
    return { at, message: `A ${noun} has no field \`${field}\` that can be asked`, suggestion }
  }
  switch (condition.kind) {
    case 'exists':
      return undefined
    case 'within':
      if (known.tree === 'site' || known.tree === 'plot') return undefined
      return { at, message: `\`${field}\` names nothing that stands in a tree` }
    case 'isa':
      return known.tree === 'blueprint' ? undefined : { at, message: `\`${field}\` names no BluePrint` }
    case 'oneOf':
      return condition.values.map(value => checkValue(condition, known, value)).find(Boolean)
    case 'compare':
      return checkOperator(condition, known) ?? checkValue(condition, known, condition.value)
  }
}

/** Of a config it is not known what a value is. */
function checkOpen(condition: Condition): FilterMistake | undefined {
  const { field, at } = condition
  if (condition.kind === 'within' || condition.kind === 'isa')
    return { at, message: `\`${field}\` is a config value, and names nothing that stands in a tree` }
  return undefined
}

function checkOperator({ operator, field, valueAt }: Condition & { kind: 'compare' }, { type, values }: FilterField) {
  const isOrder = ['<', '<=', '>', '>='].includes(operator)
  if ((operator === 'contains' || operator === 'like') && type !== 'text')
    return { at: valueAt, message: `\`${field}\` is ${an(type)}, and has no letters to look for` }
  if (isOrder && (type === 'boolean' || values))
    return { at: valueAt, message: `The values of \`${field}\` have no order` }
  return undefined
}

function checkValue(condition: Condition & { valueAt: Place }, field: FilterField, value: Literal) {
  const { field: name, valueAt: at } = condition
  if (value === null) return field.isNullable ? undefined : { at, message: `\`${name}\` is never none` }
  if (!fits(field.type, value)) {
    const example = { text: "'text'", number: '4', boolean: 'true', time: "'2026-01-31T12:00:00Z'" }[field.type]
    return { at, message: `\`${name}\` is ${an(field.type)}, and ${show(value)} is none`, suggestion: `As ${example}` }
  }
  const isWhole = condition.kind === 'oneOf' || (condition.kind === 'compare' && /^[!=]=$/.test(condition.operator))
  if (field.values && isWhole && !field.values.includes(String(value))) {
    const near = findNear(String(value), field.values)
    const all = near === undefined ? `It is one of ${field.values.join(', ')}` : `Did you mean '${near}'?`
    return { at, message: `\`${name}\` is never ${show(value)}`, suggestion: all }
  }
  return undefined
}

type Place = Condition['at']

const an = (type: FieldType) => ({ text: 'a text', number: 'a number', boolean: 'true or false', time: 'a time' })[type]
const show = (value: Literal) => (typeof value === 'string' ? `'${value}'` : String(value))

function fits(type: FieldType, value: Literal): boolean {
  if (type === 'time') return typeof value === 'string' && isTime(value)
  return typeof value === (type === 'text' ? 'string' : type)
}

/** ISO 8601: a day, or a moment with its zone. */
const isTime = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text) && !Number.isNaN(Date.parse(text))
