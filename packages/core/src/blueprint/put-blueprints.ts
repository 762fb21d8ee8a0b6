import { isDeepStrictEqual } from 'node:util'
import { eq, inArray } from 'drizzle-orm'
import { recordConfigChanges } from '../config/config-changes.ts'
import type { Db } from '../database/database.ts'
import { blueprint, blueprintFoundation, blueprintParent, blueprintScript, script } from '../database/schema.ts'
import type { Engine } from '../engine/engine.ts'
import { ContractorError } from '../plugin/error.ts'
import { asJson } from '../plugin/json.ts'
import type { Change } from '../script/scripts.ts'
import { type BlueprintInput, selectBlueprints } from './blueprint.ts'
import { loadBlueprintTree } from './blueprint-tree.ts'

/**
 * Saves BluePrints as they are given, replacing what was there. Those of one call may name each other as parents in any
 * order: all rows are written before any link. Changes come back in the order of the input.
 */
export async function putBlueprints(
  engine: Engine,
  tx: Db,
  inputs: readonly BlueprintInput[],
  by: string,
): Promise<Change[]> {
  const present = new Map(
    (
      await selectBlueprints(
        tx,
        inputs.map(input => input.name),
      )
    ).map(one => [one.name, one]),
  )
  const changes = inputs.map((input): Change => {
    const found = present.get(input.name)
    if (!found) return 'created'
    if (found.kind !== input.kind) {
      throw new ContractorError(
        'ALREADY_EXISTS',
        `'${input.name}' is a BluePrint for a ${found.kind} already; a name stands for one BluePrint only`,
        {
          kind: 'BluePrint',
          id: input.name,
        },
      )
    }
    const { updatedAt: _, ...old } = found
    return isDeepStrictEqual(normal(old), normal(input)) ? 'unchanged' : 'changed'
  })
  const changed = inputs.filter((_, at) => changes[at] !== 'unchanged')
  for (const input of changed) await putRow(engine, tx, input)
  for (const input of changed) await putLinks(tx, input)
  await refuseCircles(tx, changed)
  await recordConfigChanges(
    engine,
    tx,
    by,
    changed.map(({ name, configValues }) => ({
      owner: { blueprint: name },
      before: present.get(name)?.configValues ?? {},
      after: configValues,
    })),
  )
  return changes
}

/** Without what does not matter: the order of scripts and of allowed FoundationBluePrints. */
function normal(input: BlueprintInput) {
  return { ...input, foundationBlueprints: [...input.foundationBlueprints].sort() }
}

async function putRow(engine: Engine, tx: Db, input: BlueprintInput): Promise<void> {
  const now = engine.clock.now()
  const values = {
    kind: input.kind,
    description: input.description,
    configValues: input.configValues,
    foundationTypes: input.foundationTypes,
    template: asJson(input.template),
    physicalInterfaceNames: input.physicalInterfaceNames,
    updatedAt: now,
  }
  await tx
    .insert(blueprint)
    .values({ name: input.name, ...values, createdAt: now })
    .onConflictDoUpdate({ target: blueprint.name, set: values })
}

async function putLinks(tx: Db, input: BlueprintInput): Promise<void> {
  const { name } = input
  await tx.delete(blueprintParent).where(eq(blueprintParent.blueprint, name))
  await tx.delete(blueprintScript).where(eq(blueprintScript.blueprint, name))
  await tx.delete(blueprintFoundation).where(eq(blueprintFoundation.blueprint, name))

  const parents = [...new Set(input.parents)]
  if (parents.length) {
    const known = await tx
      .select({ name: blueprint.name, kind: blueprint.kind })
      .from(blueprint)
      .where(inArray(blueprint.name, parents))
    for (const parent of parents) {
      if (!known.some(one => one.name === parent && one.kind === input.kind))
        throw missing(input, 'parent', 'BluePrint', parent)
    }
    await tx.insert(blueprintParent).values(parents.map((parent, position) => ({ blueprint: name, parent, position })))
  }
  const scripts = Object.entries(input.scripts)
  if (scripts.length) {
    const wanted = scripts.map(([, one]) => one)
    const known = await tx.select({ name: script.name }).from(script).where(inArray(script.name, wanted))
    for (const one of wanted) if (!known.some(row => row.name === one)) throw missing(input, 'script', 'Script', one)
    await tx
      .insert(blueprintScript)
      .values(scripts.map(([called, one]) => ({ blueprint: name, name: called, script: one })))
  }
  if (input.foundationBlueprints.length) {
    const links = [...new Set(input.foundationBlueprints)].map(foundationBlueprint => ({
      blueprint: name,
      foundationBlueprint,
    }))
    await tx.insert(blueprintFoundation).values(links)
  }
}

function missing(input: BlueprintInput, role: string, kind: string, id: string): ContractorError {
  const what = kind === 'BluePrint' ? `BluePrint for a ${input.kind}` : kind
  return new ContractorError(
    'NOT_FOUND',
    `BluePrint '${input.name}' names the ${role} '${id}', and there is no ${what} of that name`,
    { kind, id },
  )
}

async function refuseCircles(tx: Db, changed: readonly BlueprintInput[]): Promise<void> {
  const tree = await loadBlueprintTree(
    tx,
    changed.map(input => input.name),
  )
  const visit = (name: string, path: readonly string[]) => {
    if (path.includes(name)) {
      const circle = [...path.slice(path.indexOf(name)), name].join(' → ')
      throw new ContractorError('VALIDATION_FAILED', `BluePrint '${name}' would inherit from itself: ${circle}`, {
        issues: [{ path: 'parents', message: circle }],
      })
    }
    for (const parent of tree.nodes.get(name)?.parents ?? []) visit(parent, [...path, name])
  }
  for (const input of changed) visit(input.name, [])
}
