import { ContractorError, plainName, pxeInput, scriptInput } from '@contractor/contract'
import { parse, TomlError } from 'smol-toml'
import { z } from 'zod'
import { blueprintInput } from '../blueprint/blueprint.ts'
import { quoteKeys } from './quote-keys.ts'
import { findTomlLine } from './toml-line.ts'

/** Files say `template = {}` of what has none. */
const orNone = (value: unknown) =>
  typeof value === 'object' && value !== null && !Object.keys(value).length ? null : value

const of = blueprintInput.shape
const common = {
  description: of.description,
  parents: of.parents,
  scripts: of.scripts,
  config_values: of.configValues,
}

/**
 * The T3kton resource format: TOML with tables `[structure.NAME]`, `[foundation.NAME]`, `[script.NAME]`, `[pxe.NAME]`,
 * and `sflinks`, a list of [StructureBluePrint, FoundationBluePrint] pairs that say what may stand on what. The rules of
 * what they hold are those of the SDK.
 */
export const resourceFile = z.strictObject({
  structure: z
    .record(plainName, z.strictObject({ ...common, foundation_blueprints: of.foundationBlueprints }))
    .default({}),
  foundation: z
    .record(
      plainName,
      z.strictObject({
        ...common,
        foundation_types: of.foundationTypes,
        template: z.preprocess(orNone, of.template),
        physical_interface_names: of.physicalInterfaceNames,
      }),
    )
    .default({}),
  script: z
    .record(plainName, z.strictObject({ description: scriptInput.shape.description, script: scriptInput.shape.source }))
    .default({}),
  pxe: z
    .record(
      plainName,
      z.strictObject({
        // Some files have one, which nobody has ever read.
        description: z.string().optional(),
        boot_script: pxeInput.shape.bootScript,
        template: pxeInput.shape.template,
      }),
    )
    .default({}),
  sflinks: z.array(z.tuple([plainName, plainName])).default([]),
})
export type ResourceFile = z.output<typeof resourceFile>

/** Parses a resource file's text; RESOURCE_INVALID names file, line and key of every mistake. */
export function parseResourceFile(text: string, file: string): ResourceFile {
  let document: unknown
  try {
    document = parse(quoteKeys(text))
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const said = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? 'not TOML'
    const isColon = /^\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*:/.test(text.split('\n')[error.line - 1] ?? '')
    const reason = isColon ? `${said}. A key and its value are parted by '=', not by ':'` : said
    throw new ContractorError(
      'RESOURCE_INVALID',
      `${file}:${error.line}:${error.column}: not valid TOML: ${reason}\n${error.codeblock}`,
      {
        file,
        line: error.line,
      },
    )
  }
  const parsed = resourceFile.safeParse(document)
  // The parser's tables have no prototype, and so would never equal what comes back from the database.
  if (parsed.success) return JSON.parse(JSON.stringify(parsed.data)) as ResourceFile

  const mistakes = parsed.error.issues.flatMap(issue => {
    const path = issue.path.map(String)
    if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path, message }))
    if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }]
    // A template's schema names its own keys.
    const message = (key: string) =>
      path.length > 2 ? issue.message : `unknown key '${key}'; known are ${knownKeys(path).join(', ')}`
    return issue.keys.map(key => ({ path: [...path, key], message: message(key) }))
  })
  const placed = mistakes.map(({ path, message }) => {
    const line = findTomlLine(text, path)
    return { line, key: path.join('.'), message }
  })
  const list = placed
    .map(({ line, key, message }) => `${file}:${line === undefined ? '' : `${line}:`} ${key}: ${message}`)
    .join('\n')
  const [first] = placed
  throw new ContractorError('RESOURCE_INVALID', list, {
    file,
    ...(first?.line !== undefined && { line: first.line }),
    ...(first && { key: first.key }),
  })
}

function knownKeys([kind]: readonly string[]): string[] {
  if (kind === undefined) return Object.keys(resourceFile.shape)
  const table = resourceFile.shape[kind as 'structure'].unwrap()
  return Object.keys(table.valueType.shape)
}
