import { readFile } from 'node:fs/promises'
import { eq, inArray } from 'drizzle-orm'
import { type BlueprintInput, blueprintInput } from '../blueprint/blueprint.ts'
import { putBlueprints } from '../blueprint/put-blueprints.ts'
import type { Db } from '../database/database.ts'
import { blueprint, blueprintFoundation } from '../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { ContractorError, isContractorError, parseInput } from '../plugin/error.ts'
import { putPxe, pxeInput } from '../pxe/pxe.ts'
import { type Change, putScript, scriptInput } from '../script/scripts.ts'
import { parseResourceFile, type ResourceFile } from './resource-file.ts'
import { findTomlLine } from './toml-line.ts'

export interface LoadResult {
  changes: { kind: 'script' | 'foundation' | 'structure' | 'pxe' | 'sflink'; name: string; change: Change }[]
  warnings: string[]
}

export interface Resources {
  /** Loads a resource file: all of it, or nothing. */
  load(path: string, options?: CallOptions): Promise<LoadResult>
  /** The same, from text; `file` is how messages name it. */
  loadText(text: string, file: string, options?: CallOptions): Promise<LoadResult>
}

export function createResources(engine: Engine): Resources {
  const resources: Resources = {
    async load(path, options) {
      const text = await readFile(path, 'utf8').catch(error => {
        const reason = error instanceof Error ? error.message : String(error)
        throw new ContractorError(
          'RESOURCE_INVALID',
          `${path} cannot be read: ${reason}`,
          { file: path },
          { cause: error },
        )
      })
      return resources.loadText(text, path, options)
    },
    async loadText(text, file, options = {}) {
      const document = parseResourceFile(text, file)
      return transaction(engine, options, tx => loadDocument(engine, tx, document, text, file, whoIs(options)))
    },
  }
  return resources
}

async function loadDocument(
  engine: Engine,
  tx: Db,
  document: ResourceFile,
  text: string,
  file: string,
  by: string,
): Promise<LoadResult> {
  const result: LoadResult = { changes: [], warnings: [] }
  const note = (kind: LoadResult['changes'][number]['kind'], name: string, change: Change) =>
    result.changes.push({ kind, name, change })
  /** An error of one table, told with its place in the file. */
  const at = async <T>(path: string[], run: () => T | Promise<T>): Promise<T> => {
    try {
      return await run()
    } catch (error) {
      if (!isContractorError(error)) throw error
      const line = findTomlLine(text, path)
      const message = `${file}:${line === undefined ? '' : `${line}:`} ${path.join('.')}: ${error.message}`
      throw new ContractorError(
        'RESOURCE_INVALID',
        message,
        { file, ...(line !== undefined && { line }), key: path.join('.') },
        { cause: error },
      )
    }
  }

  for (const [name, { description, script }] of Object.entries(document.script)) {
    await at(['script', name], async () => {
      const input = parseInput(scriptInput, { name, description, source: script }, `Script '${name}'`)
      const { change, warnings } = await putScript(engine, tx, input)
      note('script', name, change)
      result.warnings.push(...warnings.map(warning => `${file}: ${warning}`))
    })
  }
  for (const [name, { boot_script, template }] of Object.entries(document.pxe)) {
    await at(['pxe', name], async () => {
      const input = parseInput(pxeInput, { name, bootScript: boot_script, template }, `PXE '${name}'`)
      note('pxe', name, await putPxe(engine, tx, input))
    })
  }
  // One kind at a time, so that an error can name its table; within a kind, parents may stand in any order.
  for (const kind of ['foundation', 'structure'] as const) {
    const inputs = await Promise.all(
      Object.keys(document[kind]).map(name => at([kind, name], () => toBlueprint(document, kind, name))),
    )
    const linked = kind === 'structure' ? await keepLinks(tx, inputs) : inputs
    const changes = await at(linked.length === 1 && linked[0] ? [kind, linked[0].name] : [kind], () =>
      putBlueprints(engine, tx, linked, by),
    )
    for (const [position, input] of linked.entries()) note(kind, input.name, changes[position] ?? 'unchanged')
  }
  for (const [structure, foundation] of document.sflinks) {
    if (Object.hasOwn(document.structure, structure)) continue
    await at(['sflinks'], async () =>
      note('sflink', `${structure} → ${foundation}`, await putLink(tx, structure, foundation)),
    )
  }
  return result
}

function toBlueprint(document: ResourceFile, kind: 'structure' | 'foundation', name: string): BlueprintInput {
  const { foundation_blueprints = [], ...structure } = kind === 'structure' ? (document.structure[name] ?? {}) : {}
  const { foundation_types, template, physical_interface_names, ...foundation } =
    kind === 'foundation' ? (document.foundation[name] ?? {}) : {}
  const { description, parents, scripts, config_values } = { ...structure, ...foundation }
  const links = kind === 'structure' ? document.sflinks.filter(([of]) => of === name).map(([, to]) => to) : []
  return parseInput(
    blueprintInput,
    {
      kind,
      name,
      description,
      parents,
      scripts,
      configValues: config_values,
      foundationTypes: foundation_types,
      foundationBlueprints: [...new Set([...foundation_blueprints, ...links])],
      template,
      physicalInterfaceNames: physical_interface_names,
    },
    `BluePrint '${name}'`,
  )
}

/** Links may be added by other files (`sflinks`): loading a BluePrint again does not take those away. */
async function keepLinks(tx: Db, inputs: readonly BlueprintInput[]): Promise<BlueprintInput[]> {
  if (!inputs.length) return []
  const names = inputs.map(input => input.name)
  const present = await tx.select().from(blueprintFoundation).where(inArray(blueprintFoundation.blueprint, names))
  return inputs.map(input => ({
    ...input,
    foundationBlueprints: [
      ...new Set([
        ...input.foundationBlueprints,
        ...present.filter(link => link.blueprint === input.name).map(link => link.foundationBlueprint),
      ]),
    ],
  }))
}

async function putLink(tx: Db, structure: string, foundation: string): Promise<Change> {
  const [found] = await tx.select({ kind: blueprint.kind }).from(blueprint).where(eq(blueprint.name, structure))
  if (found?.kind !== 'structure') {
    throw new ContractorError('NOT_FOUND', `There is no StructureBluePrint '${structure}'`, {
      kind: 'StructureBluePrint',
      id: structure,
    })
  }
  const added = await tx
    .insert(blueprintFoundation)
    .values({ blueprint: structure, foundationBlueprint: foundation })
    .onConflictDoNothing()
    .returning()
  return added.length ? 'created' : 'unchanged'
}
