import {
  type BlueprintInput,
  type Change,
  ContractorError,
  type LoadResult,
  type PxeInput,
  parseInput,
  pxeInput,
  type ResourceChange,
  scriptInput,
} from '@contractor/contract'
import type { Db } from '../../database/database.ts'
import type { CallOptions, Engine } from '../../engine/engine.ts'
import type { Saved } from '../../noun/saved.ts'
import { blueprintInput } from '../blueprint/blueprint.ts'
import { type Link, linkBlueprints } from '../blueprint/link-blueprints.ts'
import { putBlueprints } from '../blueprint/put-blueprints.ts'
import { putPxes } from '../pxe/pxe.ts'
import { compileScript } from '../script/compile-script.ts'
import { type CompiledScript, putScripts } from '../script/put-scripts.ts'
import { blueprintFields, compareFields, pxeFields, scriptFields } from './compare-fields.ts'
import { placed, type Source, within } from './source.ts'
import { findLinkLine } from './toml-line.ts'

type Kind = ResourceChange['kind']

/** Something that a file says, with the file. */
interface Sourced<T> {
  source: Source
  input: T
}

/**
 * Loads files in the transaction that it is given. What they say is written kind by kind, of all files together: scripts
 * and PXEs, then BluePrints (all rows before any link between them), then links. So neither the order of the files nor
 * the order within one matters.
 */
export async function loadSources(
  engine: Engine,
  tx: Db,
  sources: readonly Source[],
  options: CallOptions,
): Promise<LoadResult> {
  refuseRepeats(sources)
  const warnings: string[] = []
  const scripts = readScripts(engine, sources, warnings)
  const pxes = readPxes(sources)
  const blueprints = (['foundation', 'structure'] as const).flatMap(kind =>
    sources.flatMap(source =>
      Object.keys(source.document[kind]).map(name => ({ source, input: readBlueprint(source, kind, name) })),
    ),
  )
  const inputs = blueprints.map(one => one.input)
  const places = new Map(blueprints.map(({ source, input }) => [input.name, { source, kind: input.kind }]))
  const changes = [
    ...note('script', scripts, await putScripts(engine, tx, scripts.map(scriptOf), options), scriptFields),
    ...note('pxe', pxes, await putPxes(engine, tx, pxes.map(inputOf), options), pxeFields),
    ...note(
      'blueprint',
      blueprints,
      await putBlueprints(engine, tx, inputs, {
        ...options,
        keepLinked: true,
        blame(name, field, error) {
          const place = places.get(name)
          return place ? placed(place.source, [place.kind, name, ...(field ? [field] : [])], error) : error
        },
      }),
      blueprintFields,
    ),
    ...(await loadLinks(engine, tx, sources, options)),
  ]
  return { changes, warnings }
}

const inputOf = <T>(sourced: Sourced<T>): T => sourced.input
const scriptOf = ({ input }: Sourced<CompiledScript>): CompiledScript => input

/** A name has one meaning, whichever file is read first. */
function refuseRepeats(sources: readonly Source[]): void {
  const seen = new Map<string, Source>()
  for (const source of sources) {
    for (const kind of ['script', 'pxe', 'foundation', 'structure'] as const) {
      for (const name of Object.keys(source.document[kind])) {
        // Both kinds of BluePrints share their names.
        const key = `${kind === 'foundation' || kind === 'structure' ? 'blueprint' : kind} ${name}`
        const other = seen.get(key)
        seen.set(key, source)
        if (!other) continue
        const message = `'${name}' is in ${other === source ? 'this file' : other.file} already; keep one of them`
        throw placed(source, [kind, name], new ContractorError('ALREADY_EXISTS', message, { kind, id: name }))
      }
    }
  }
}

function readScripts(engine: Engine, sources: readonly Source[], warnings: string[]): Sourced<CompiledScript>[] {
  return sources.flatMap(source =>
    Object.entries(source.document.script).map(([name, { description, script }]) =>
      within(source, ['script', name], () => {
        const input = parseInput(scriptInput, { name, description, source: script }, `Script '${name}'`)
        const compiled = compileScript(engine, name, input.source)
        warnings.push(...compiled.warnings.map(warning => `${source.file}: ${warning}`))
        return { source, input: { input, program: compiled.program } }
      }),
    ),
  )
}

function readPxes(sources: readonly Source[]): Sourced<PxeInput>[] {
  return sources.flatMap(source =>
    Object.entries(source.document.pxe).map(([name, { boot_script, template }]) =>
      within(source, ['pxe', name], () => ({
        source,
        input: parseInput(pxeInput, { name, bootScript: boot_script, template }, `PXE '${name}'`),
      })),
    ),
  )
}

function readBlueprint(source: Source, kind: 'structure' | 'foundation', name: string): BlueprintInput {
  const { structure, foundation, sflinks } = source.document
  const sourced = (kind === 'structure' ? structure : foundation)[name]
  const own = structure[name]?.foundation_blueprints ?? []
  const links = kind === 'structure' ? sflinks.filter(([of]) => of === name).map(([, to]) => to) : []
  return within(source, [kind, name], () =>
    parseInput(
      blueprintInput,
      {
        ...{ kind, name, description: sourced?.description, parents: sourced?.parents, scripts: sourced?.scripts },
        configValues: sourced?.config_values,
        foundationBlueprints: [...own, ...links],
        ...(kind === 'foundation' && {
          foundationTypes: foundation[name]?.foundation_types,
          template: foundation[name]?.template,
          physicalInterfaceNames: foundation[name]?.physical_interface_names,
        }),
      },
      `BluePrint '${name}'`,
    ),
  )
}

/** The links of a file to BluePrints of others: they stay when those are loaded again. */
async function loadLinks(
  engine: Engine,
  tx: Db,
  sources: readonly Source[],
  options: CallOptions,
): Promise<ResourceChange[]> {
  const links = sources.flatMap(source =>
    source.document.sflinks
      .filter(([structure]) => !Object.hasOwn(source.document.structure, structure))
      .map(([structure, foundation]): Sourced<Link> => ({ source, input: { structure, foundation } })),
  )
  const key = ({ structure, foundation }: Link) => `${structure} → ${foundation}`
  const made = await linkBlueprints(engine, tx, links.map(inputOf), {
    ...options,
    refuse(missing) {
      const source = links.find(link => link.input === missing)?.source
      const message = `There is no StructureBluePrint '${missing.structure}'`
      const error = new ContractorError('NOT_FOUND', message, { kind: 'StructureBluePrint', id: missing.structure })
      if (!source) return error
      return placed(source, ['sflinks'], error, findLinkLine(source.text, [missing.structure, missing.foundation]))
    },
  })
  const added = new Set(made.map(key))
  return links.map(({ source, input }): ResourceChange => {
    // The first of those that say the same.
    const change: Change = added.delete(key(input)) ? 'created' : 'unchanged'
    return { kind: 'sflink', name: key(input), file: source.file, change, fields: [] }
  })
}

function note<T extends { name: string; kind?: 'structure' | 'foundation' }>(
  kind: Exclude<Kind, 'structure' | 'foundation'> | 'blueprint',
  sourced: readonly Sourced<unknown>[],
  saved: readonly Saved<T>[],
  fieldsOf: (input: T) => Parameters<typeof compareFields>[0],
): ResourceChange[] {
  return saved.map(({ change, before, after }, at) => ({
    kind: kind === 'blueprint' ? (after.kind ?? 'structure') : kind,
    name: after.name,
    file: sourced[at]?.source.file ?? '',
    change,
    fields: change === 'unchanged' ? [] : compareFields(before ? fieldsOf(before) : {}, fieldsOf(after)),
  }))
}
