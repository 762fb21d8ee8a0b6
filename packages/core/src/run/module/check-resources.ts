import { isContractorError } from '@contractor/contract'
import type { FoundationPlugin, Plugin } from '@contractor/plugin'
import { compile, formatDiagnostic, type HostNames, referencedNames } from '@contractor/tscript'
import { collectDeclared, type Declared } from '../../definition/resource/declared.ts'
import { findFiles, readSource, type Source } from '../../definition/resource/source.ts'
import { scriptNames, scriptNamesFor } from '../../definition/script/script-names.ts'
import { createPluginRegistry, type PluginRegistry } from '../../engine/plugin-registry.ts'
import { ownModules } from './own-modules.ts'

/** What resource files would do, and what they lack: without a database, and without stopping at the first mistake. */
export interface ResourceCheck {
  files: FileCheck[]
  scripts: ScriptCheck[]
  /** What is named and is in no file: a line each, with its place. */
  missing: string[]
}

export interface FileCheck {
  file: string
  /** Why nothing of it loads. */
  error?: string
  /** How much of each kind it has. */
  counts: Readonly<Record<'structure' | 'foundation' | 'script' | 'pxe' | 'sflinks', number>>
}

export interface ScriptCheck {
  name: string
  file: string
  /** The types of Foundations that it is for, by the BluePrints that name it; empty where none does. */
  types: string[]
  /** What it reads, sets and calls, as `foundation.power_on`. */
  uses: string[]
  /** Why it does not load, or could not run on any of its types. */
  errors: string[]
  /** What one of its types lacks and another one has: no mistake where the script asks for the type first. */
  notes: string[]
}

export interface CheckOptions {
  plugins?: readonly Plugin[]
}

/** Reads files, and the `*.toml` of folders. Throws RESOURCE_INVALID only where a path itself cannot be read. */
export async function checkResources(
  paths: string | readonly string[],
  { plugins = [] }: CheckOptions = {},
): Promise<ResourceCheck> {
  const registry = createPluginRegistry(plugins, ownModules)
  const files = await findFiles(typeof paths === 'string' ? [paths] : paths)
  const read = await Promise.all(files.map(readFile))
  const sources = read.flatMap(one => (one.source ? [one.source] : []))
  const declared = collectDeclared(sources)
  return {
    files: read.map(({ check }) => check),
    scripts: sources.flatMap(source =>
      Object.entries(source.document.script).map(([name, { script }]) =>
        checkScript(registry, source, name, script, declared),
      ),
    ),
    missing: [...declared.missing, ...missingTypes(registry, declared)],
  }
}

async function readFile(file: string): Promise<{ check: FileCheck; source?: Source }> {
  const counts = { structure: 0, foundation: 0, script: 0, pxe: 0, sflinks: 0 }
  try {
    const source = await readSource(file)
    for (const kind of Object.keys(counts) as (keyof typeof counts)[])
      counts[kind] = Object.keys(source.document[kind]).length
    return { check: { file, counts }, source }
  } catch (error) {
    if (!isContractorError(error, 'RESOURCE_INVALID')) throw error
    return { check: { file, counts, error: error.message } }
  }
}

function missingTypes({ foundations }: PluginRegistry, { types }: Declared): string[] {
  return [...types]
    .filter(([type]) => !foundations.has(type))
    .map(
      ([type, blueprints]) => `no plugin that is loaded has the Foundation type '${type}', of ${blueprints.join(', ')}`,
    )
}

function checkScript(
  registry: PluginRegistry,
  { file }: Source,
  name: string,
  text: string,
  declared: Declared,
): ScriptCheck {
  const types = [...(declared.typesOf.get(name) ?? [])].sort()
  const parsed = compile(text)
  if (!parsed.ok) {
    const errors = parsed.diagnostics.filter(one => one.severity === 'error').map(one => formatDiagnostic(one, name))
    return { name, file, types, uses: [], errors, notes: [] }
  }
  const uses = Object.entries(referencedNames(parsed.program)).flatMap(([module, names]) =>
    names.map(one => `${module}.${one}`),
  )
  const known = types.flatMap(type => registry.foundations.get(type) ?? [])
  // For nobody's type: what `foundation` has is not known, and everything else is.
  const checks = known.length
    ? known.map(type => ({ type: type.type, mistakes: mistakesFor(registry, name, text, type) }))
    : [{ type: '', mistakes: mistakesFor(registry, name, text) }]
  const all = [...new Set(checks.flatMap(one => one.mistakes))]
  const everywhere = all.filter(mistake => checks.every(one => one.mistakes.includes(mistake)))
  return {
    ...{ name, file, types, uses, errors: everywhere },
    notes: all
      .filter(mistake => !everywhere.includes(mistake))
      .map(mistake => {
        const where = checks.filter(one => one.mistakes.includes(mistake)).map(one => one.type)
        return `on ${where.join(', ')}: ${mistake}`
      }),
  }
}

/** What a script uses that is not there. Modules are those of its type, and those that every type has. */
function mistakesFor(registry: PluginRegistry, name: string, text: string, type?: FoundationPlugin): string[] {
  const all: HostNames = type ? scriptNamesFor(registry, type) : scriptNames(registry)
  const others = [...registry.foundations.values()].filter(one => one !== type).map(one => one.module)
  const names = type ? Object.fromEntries(Object.entries(all).filter(([module]) => !others.includes(module))) : all
  return compile(text, { names })
    .diagnostics.filter(one => one.severity === 'error')
    .map(one => formatDiagnostic(one, name))
}
