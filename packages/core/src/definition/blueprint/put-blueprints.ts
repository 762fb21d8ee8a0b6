import { isDeepStrictEqual } from 'node:util'
import { type Blueprint, type BlueprintInput, ContractorError } from '@contractor/contract'
import type { Db } from '../../database/database.ts'
import { type CallOptions, type Engine, whoIs } from '../../engine/engine.ts'
import { recordConfigChanges } from '../../event/record-config-changes.ts'
import { recordEvents } from '../../event/record-events.ts'
import { checkSaved, type Saved } from '../../noun/saved.ts'
import { blueprintTree, lockTree } from '../../noun/tree.ts'
import { selectBlueprints } from './blueprint.ts'
import { type Blame, refuseCircles, refuseMissing } from './blueprint-laws.ts'
import { loadLinked, lockBlueprints, writeBlueprints } from './write-blueprints.ts'

export interface PutOptions extends CallOptions {
  /** Links that `sflinks` of other files have made stay, though the input does not have them. */
  keepLinked?: boolean
  /** Makes an error about one of them into one that says where that one is written. */
  blame?: Blame
}

/**
 * Saves BluePrints as they are given, replacing what was there; says of each what that did, in their order. Those of one
 * call may name each other as parents in any order: all rows are written before any link. A number of statements that
 * does not grow with them.
 */
export async function putBlueprints(
  engine: Engine,
  tx: Db,
  inputs: readonly BlueprintInput[],
  options: PutOptions,
): Promise<Saved<BlueprintInput>[]> {
  if (!inputs.length) return []
  const { keepLinked = false, blame = (_name, _field, error) => error } = options
  const names = inputs.map(input => input.name)
  await lockTree(tx, blueprintTree)
  await lockBlueprints(tx, names)
  const present = new Map((await selectBlueprints(tx, names)).map(one => [one.name, one]))
  const linked = keepLinked ? await loadLinked(tx, names) : new Map<string, string[]>()
  const saved = inputs.map((input): Saved<BlueprintInput> => {
    const after = withLinks(input, linked.get(input.name) ?? [])
    const found = present.get(input.name)
    checkSaved('BluePrint', input.name, found, options)
    if (!found) return { change: 'created', before: undefined, after }
    if (found.kind !== input.kind) throw blame(input.name, undefined, otherKind(found))
    const { version: _version, createdAt: _created, updatedAt: _updated, ...before } = found
    const same = isDeepStrictEqual(normal(before), normal(after))
    return { change: same ? 'unchanged' : 'changed', before, after }
  })
  const changed = saved.filter(one => one.change !== 'unchanged')
  if (!changed.length) return saved
  const written = changed.map(one => one.after)
  await writeBlueprints(engine, tx, written, () => refuseMissing(tx, written, blame))
  await refuseCircles(tx, written, blame)
  await recordPut(engine, tx, changed, options)
  return saved
}

async function recordPut(
  engine: Engine,
  tx: Db,
  changed: readonly Saved<BlueprintInput>[],
  options: CallOptions,
): Promise<void> {
  const by = whoIs(options)
  await recordConfigChanges(
    engine,
    tx,
    by,
    changed.map(({ before, after }) => ({
      owner: { blueprint: after.name },
      before: before?.configValues ?? {},
      after: after.configValues,
    })),
  )
  await recordEvents(
    engine,
    tx,
    changed.map(({ change, after }) => ({
      type: change === 'created' ? ('blueprint.created' as const) : ('blueprint.changed' as const),
      ...{ by, data: { blueprint: after.name } },
    })),
  )
}

const withLinks = (input: BlueprintInput, more: readonly string[]): BlueprintInput => ({
  ...input,
  parents: [...new Set(input.parents)],
  foundationBlueprints: [...new Set([...input.foundationBlueprints, ...more])].sort(),
})

/** Without what does not matter: the order of allowed FoundationBluePrints. */
const normal = (input: BlueprintInput) => ({ ...input, foundationBlueprints: [...input.foundationBlueprints].sort() })

function otherKind({ name, kind }: Blueprint): ContractorError {
  return new ContractorError(
    'ALREADY_EXISTS',
    `'${name}' is a BluePrint for a ${kind} already; a name stands for one BluePrint only`,
    { kind: 'BluePrint', id: name },
  )
}
