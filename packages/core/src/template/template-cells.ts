import { cellFilters } from './jinja-dialect.ts'
import { mapEntries, pythonRepr, type TemplateValue } from './python-text.ts'
import type { Filter } from './template-filters.ts'

/**
 * Lists and maps that a template changes in place. Values of minijinja never change, so such a name holds the name of a
 * cell, and the value stays here while the template is rendered.
 */
export interface Cells {
  readonly filters: Readonly<Record<string, Filter>>
  /** Forgets all: before each rendering. */
  clear(): void
}

const mark = '\u0000cell:'

export function createCells(): Cells {
  const cells: TemplateValue[] = []
  const find = (value: TemplateValue) =>
    typeof value === 'string' && value.startsWith(mark) ? Number(value.slice(mark.length)) : undefined
  return {
    filters: {
      [cellFilters.make]: value => mark + (cells.push(value) - 1),
      [cellFilters.read]: value => {
        const cell = find(value)
        return cell === undefined ? value : cells[cell]
      },
      [cellFilters.change]: (value, method, ...given) => {
        const cell = find(value)
        const target = cell === undefined ? value : cells[cell]
        const name = String(method)
        const found = Array.isArray(target) ? listMethods[name] : undefined
        if (found) return found(target as TemplateValue[], given)
        const map = target instanceof Map ? target : undefined
        const ofMap = map && mapMethods[name]
        if (ofMap) return ofMap(map, given)
        throw new Error(`${pythonRepr(target)} has no method ${name}`)
      },
    },
    clear: () => cells.splice(0),
  }
}

type Given = readonly TemplateValue[]

/** As Python's methods of the same names. */
const listMethods: Record<string, (list: TemplateValue[], given: Given) => TemplateValue> = {
  append: (list, [item]) => nothing(list.push(item)),
  extend: (list, [items]) => nothing(list.push(...(Array.isArray(items) ? items : []))),
  insert: (list, [at, item]) => nothing(list.splice(Number(at), 0, item)),
  pop(list, [at = -1]) {
    const position = Number(at) < 0 ? list.length + Number(at) : Number(at)
    if (position < 0 || position >= list.length) throw new Error('pop from a list without such an item')
    return list.splice(position, 1)[0]
  },
  remove(list, [item]) {
    const position = list.findIndex(one => pythonRepr(one) === pythonRepr(item))
    if (position < 0) throw new Error(`${pythonRepr(item)} is not in the list`)
    return nothing(list.splice(position, 1))
  },
  clear: list => nothing(list.splice(0)),
  reverse: list => nothing(list.reverse()),
  sort: list => nothing(list.sort(compare)),
}

const mapMethods: Record<string, (map: Map<string, TemplateValue>, given: Given) => TemplateValue> = {
  update(map, [other]) {
    if (typeof other === 'object' && other !== null && !Array.isArray(other))
      for (const [key, value] of mapEntries(other)) map.set(key, value)
    return null
  },
  pop(map, [key, otherwise]) {
    const name = String(key)
    if (!map.has(name) && otherwise === undefined) throw new Error(`the map has no ${pythonRepr(key)}`)
    const value = map.has(name) ? map.get(name) : otherwise
    map.delete(name)
    return value
  },
  setdefault(map, [key, value = null]) {
    const name = String(key)
    if (!map.has(name)) map.set(name, value)
    return map.get(name)
  },
  clear: map => nothing(map.clear()),
}

/** Methods that change in place give None. */
const nothing = (_: unknown): null => null

function compare(a: TemplateValue, b: TemplateValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a) < String(b) ? -1 : Number(String(a) > String(b))
}
