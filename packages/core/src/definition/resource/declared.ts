import { placed, type Source } from './source.ts'

/** What files declare together, and what they name that none of them has. */
export interface Declared {
  /** The types of Foundations that a script is for. */
  readonly typesOf: ReadonlyMap<string, ReadonlySet<string>>
  /** The BluePrints that are for a type. */
  readonly types: ReadonlyMap<string, string[]>
  readonly missing: readonly string[]
}

/** What a BluePrint of either kind names. */
interface NamesOf {
  readonly parents: readonly string[]
  readonly scripts: Readonly<Record<string, string>>
}

interface DeclaredBlueprint extends NamesOf {
  readonly kind: 'structure' | 'foundation'
  readonly foundationTypes: readonly string[]
  readonly foundationBlueprints: readonly string[]
}

export function collectDeclared(sources: readonly Source[]): Declared {
  const blueprints = new Map<string, DeclaredBlueprint>()
  for (const { document } of sources) {
    const links = (name: string) =>
      sources.flatMap(one => one.document.sflinks).flatMap(([of, to]) => (of === name ? [to] : []))
    for (const [name, { parents, scripts, foundation_types }] of Object.entries(document.foundation))
      blueprints.set(name, {
        ...{ kind: 'foundation', parents, scripts, foundationTypes: foundation_types, foundationBlueprints: [] },
      })
    for (const [name, { parents, scripts, foundation_blueprints }] of Object.entries(document.structure))
      blueprints.set(name, {
        ...{ kind: 'structure', parents, scripts, foundationTypes: [] },
        foundationBlueprints: [...foundation_blueprints, ...links(name)],
      })
  }
  return {
    typesOf: typesByScript(blueprints),
    types: blueprintsByType(blueprints),
    missing: sources.flatMap(source => missingOf(source, sources, blueprints)),
  }
}

/** With its ancestors, itself first; a circle ends where it began. */
function lineOf(blueprints: ReadonlyMap<string, DeclaredBlueprint>, name: string): DeclaredBlueprint[] {
  const seen = new Set<string>()
  const open = [name]
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    if (seen.has(next)) continue
    seen.add(next)
    open.push(...(blueprints.get(next)?.parents ?? []))
  }
  return [...seen].flatMap(one => blueprints.get(one) ?? [])
}

function typesOfBlueprint(blueprints: ReadonlyMap<string, DeclaredBlueprint>, name: string): string[] {
  const line = lineOf(blueprints, name)
  const below = line.flatMap(one => one.foundationBlueprints).flatMap(one => lineOf(blueprints, one))
  return [...line, ...below].flatMap(one => one.foundationTypes)
}

function typesByScript(blueprints: ReadonlyMap<string, DeclaredBlueprint>): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const name of blueprints.keys()) {
    const types = typesOfBlueprint(blueprints, name)
    const scripts = lineOf(blueprints, name).flatMap(one => Object.values(one.scripts))
    for (const script of scripts) found.set(script, new Set([...(found.get(script) ?? []), ...types]))
  }
  return found
}

function blueprintsByType(blueprints: ReadonlyMap<string, DeclaredBlueprint>): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const [name, { foundationTypes }] of blueprints)
    for (const type of foundationTypes) found.set(type, [...(found.get(type) ?? []), name])
  return found
}

function missingOf(
  source: Source,
  sources: readonly Source[],
  blueprints: ReadonlyMap<string, DeclaredBlueprint>,
): string[] {
  const { document } = source
  const hasScript = (name: string) => sources.some(one => Object.hasOwn(one.document.script, name))
  const hasPxe = (name: string) => sources.some(one => Object.hasOwn(one.document.pxe, name))
  const say = (path: string[], words: string) => placed(source, path, new Error(words)).message
  const ofBlueprints = (['structure', 'foundation'] as const).flatMap(kind =>
    Object.entries<NamesOf>(document[kind]).flatMap(([name, { parents, scripts }]) => [
      ...parents
        .filter(parent => blueprints.get(parent)?.kind !== kind)
        .map(parent => say([kind, name, 'parents'], `there is no ${kind} BluePrint '${parent}' to be its parent`)),
      ...Object.values(scripts)
        .filter(script => !hasScript(script))
        .map(script => say([kind, name, 'scripts'], `there is no script '${script}'`)),
    ]),
  )
  const linked = [
    ...document.sflinks.flatMap(([structure, foundation]) => [
      ...(blueprints.get(structure)?.kind === 'structure' ? [] : [`there is no structure BluePrint '${structure}'`]),
      ...(blueprints.get(foundation)?.kind === 'foundation'
        ? []
        : [`there is no foundation BluePrint '${foundation}'`]),
    ]),
  ].map(words => say(['sflinks'], words))
  const onBlueprints = Object.entries(document.structure).flatMap(([name, { foundation_blueprints }]) =>
    foundation_blueprints
      .filter(one => blueprints.get(one)?.kind !== 'foundation')
      .map(one => say(['structure', name, 'foundation_blueprints'], `there is no foundation BluePrint '${one}'`)),
  )
  const booted = Object.entries(document.script).flatMap(([name, { script }]) =>
    [...script.matchAll(/\bpxe\s*=\s*(?:'([^']+)'|"([^"]+)")/g)]
      .map(([, single, double]) => single ?? double ?? '')
      .filter(pxe => !hasPxe(pxe))
      .map(pxe => say(['script', name], `there is no PXE '${pxe}'`)),
  )
  return [...ofBlueprints, ...onBlueprints, ...linked, ...new Set(booted)]
}
