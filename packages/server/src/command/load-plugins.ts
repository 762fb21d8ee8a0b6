import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ContractorError } from '@contractor/core'
import type { Plugin } from '@contractor/plugin'

/** Imports plugins by package name or path, from the folder that the command runs in first. Throws PLUGIN_INVALID. */
export async function loadPlugins(names: readonly string[]): Promise<Plugin[]> {
  const loaded = await Promise.all(names.map(loadPlugin))
  return loaded.flat()
}

async function loadPlugin(name: string): Promise<Plugin[]> {
  const module: unknown = await importFrom(name)
  const plugins = Object.values(module as Record<string, unknown>).filter(isPlugin)
  if (plugins.length) return plugins
  throw new ContractorError(
    'PLUGIN_INVALID',
    `'${name}' exports no plugin: defineFoundation, defineModule, defineComplex or defineService makes one`,
    { plugin: name },
  )
}

async function importFrom(name: string): Promise<unknown> {
  const here = createRequire(pathToFileURL(join(process.cwd(), 'package.json')))
  let url = name
  try {
    url = pathToFileURL(here.resolve(name)).href
  } catch {
    // Not of the caller's folder: perhaps it stands beside this package.
  }
  try {
    return await import(url)
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    const reason = missing
      ? `it is not installed. Run: npm install ${name}`
      : error instanceof Error
        ? error.message
        : String(error)
    throw new ContractorError(
      'PLUGIN_INVALID',
      `Plugin '${name}' cannot be loaded: ${reason}`,
      { plugin: name },
      { cause: error },
    )
  }
}

function isPlugin(value: unknown): value is Plugin {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    (('functions' in value && (value.kind === 'foundation' || value.kind === 'module')) ||
      ('fields' in value && value.kind === 'complex') ||
      ('config' in value && value.kind === 'service'))
  )
}
