import { parse, TomlError } from 'smol-toml'
import { z } from 'zod'
import { hardwareTemplate } from '../hardware/template.ts'
import { ContractorError } from '../plugin/error.ts'
import { json } from '../plugin/json.ts'
import { findTomlLine } from './toml-line.ts'

/**
 * The T3kton resource format: TOML with tables `[structure.NAME]`, `[foundation.NAME]`, `[script.NAME]`, `[pxe.NAME]`,
 * and `sflinks`, a list of [StructureBluePrint, FoundationBluePrint] pairs that say what may stand on what.
 */
const common = {
  description: z.string().optional(),
  parents: z.array(z.string()).optional(),
  scripts: z.record(z.string(), z.string()).optional(),
  config_values: z.record(z.string(), json).optional(),
}

export const resourceFile = z.strictObject({
  structure: z
    .record(z.string(), z.strictObject({ ...common, foundation_blueprints: z.array(z.string()).optional() }))
    .default({}),
  foundation: z
    .record(
      z.string(),
      z.strictObject({
        ...common,
        foundation_types: z.array(z.string()).optional(),
        template: hardwareTemplate.optional(),
        physical_interface_names: z.array(z.string()).optional(),
      }),
    )
    .default({}),
  script: z.record(z.string(), z.strictObject({ description: z.string().optional(), script: z.string() })).default({}),
  pxe: z.record(z.string(), z.strictObject({ boot_script: z.string(), template: z.string().optional() })).default({}),
  sflinks: z.array(z.tuple([z.string(), z.string()])).default([]),
})
export type ResourceFile = z.output<typeof resourceFile>

/** Parses a resource file's text; RESOURCE_INVALID names file, line and key of every mistake. */
export function parseResourceFile(text: string, file: string): ResourceFile {
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? 'not TOML'
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
  if (parsed.success) return parsed.data

  const mistakes = parsed.error.issues.flatMap(issue => {
    const path = issue.path.map(String)
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
