import { type BlueprintInput, ContractorError } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'
import { type Db, executeRows } from '../../database/database.ts'
import { usersOf } from '../../graph/edges.ts'
import { loadBlueprintTree } from './blueprint-tree.ts'

/** Turns an error about a BluePrint, and one of its fields where it is about one, into what the caller throws. */
export type Blame = (name: string, field: 'parents' | 'scripts' | undefined, error: ContractorError) => Error

/**
 * What BluePrints name has to be there, once all rows are written: parents of their own kind, and scripts. What is found
 * is held until the transaction ends: whoever would delete it waits, and then sees who names it.
 */
export async function refuseMissing(tx: Db, inputs: readonly BlueprintInput[], blame: Blame): Promise<void> {
  const parents = inputs.flatMap(input => input.parents)
  const scripts = inputs.flatMap(input => Object.values(input.scripts))
  const kinds = parents.length ? await holdBlueprints(tx, parents) : new Map<string, string>()
  const known = scripts.length ? await holdScripts(tx, scripts) : new Set<string>()
  for (const input of inputs) {
    const parent = input.parents.find(name => kinds.get(name) !== input.kind)
    if (parent !== undefined) {
      const other = kinds.get(parent) ? `; '${parent}' is one for a ${kinds.get(parent)}` : ''
      const message = `BluePrint '${input.name}' names the parent '${parent}', and there is no BluePrint for a ${input.kind} of that name${other}`
      throw blame(input.name, 'parents', new ContractorError('NOT_FOUND', message, { kind: 'BluePrint', id: parent }))
    }
    const script = Object.values(input.scripts).find(name => !known.has(name))
    if (script !== undefined) {
      const message = `BluePrint '${input.name}' names the script '${script}', and there is no Script of that name`
      throw blame(input.name, 'scripts', new ContractorError('NOT_FOUND', message, { kind: 'Script', id: script }))
    }
  }
}

const among = (names: readonly string[]): SQL =>
  sql`name in (select value from jsonb_array_elements_text(${JSON.stringify([...new Set(names)])}::jsonb))`

async function holdBlueprints(tx: Db, names: readonly string[]): Promise<Map<string, string>> {
  const rows = await executeRows<{ name: string; kind: string }>(
    tx,
    sql`select name, kind from contractor.blueprint where ${among(names)} order by name for key share`,
  )
  return new Map(rows.map(row => [row.name, row.kind]))
}

async function holdScripts(tx: Db, names: readonly string[]): Promise<Set<string>> {
  const rows = await executeRows<{ name: string }>(
    tx,
    sql`select name from contractor.script where ${among(names)} order by name for key share`,
  )
  return new Set(rows.map(row => row.name))
}

export async function refuseCircles(tx: Db, changed: readonly BlueprintInput[], blame: Blame): Promise<void> {
  const tree = await loadBlueprintTree(
    tx,
    changed.map(input => input.name),
  )
  const free = new Set<string>()
  const visit = (name: string, path: readonly string[]) => {
    if (path.includes(name)) {
      const first = path[0] ?? name
      const circle = [...path.slice(path.indexOf(name)), name].join(' → ')
      throw blame(
        first,
        'parents',
        new ContractorError('VALIDATION_FAILED', `BluePrint '${name}' would inherit from itself: ${circle}`, {
          issues: [{ path: 'parents', message: circle }],
        }),
      )
    }
    if (free.has(name)) return
    for (const parent of tree.nodes.get(name)?.parents ?? []) visit(parent, [...path, name])
    free.add(name)
  }
  for (const input of changed) visit(input.name, [])
}

/** Who needs a BluePrint, twenty of them at the most: what keeps it from being deleted. */
export async function usersOfBlueprint(tx: Db, name: string): Promise<string[]> {
  const blueprint = { kind: 'BluePrint', key: name }
  const heirs = await usersOf(tx, blueprint, ['inherits from'])
  const upon = await usersOf(tx, blueprint, ['may stand on'])
  const made = await usersOf(tx, blueprint, ['is made of'])
  const named = [...heirs.map(who => `${who} (inherits from it)`), ...upon.map(who => `${who} (may stand on it)`)]
  return [...named, ...made].slice(0, 20)
}
