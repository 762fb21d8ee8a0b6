import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ContractorError, type HandlerModule, type ServiceRunner } from '@contractor/plugin'

/**
 * Imports `NAME/handlers`, as found from `folder` or, failing that, from this package. Throws PLUGIN_INVALID when it is
 * in neither, cannot be loaded, or exports neither handlers nor `services`.
 */
export async function loadHandlers(name: string, folder: string): Promise<LoadedHandlers> {
  const file = resolveFrom(join(folder, 'x.js'), name) ?? resolveFrom(import.meta.url, name)
  if (file === undefined) {
    throw invalid(
      name,
      `Module '${name}' is not installed, neither in ${folder} nor beside this agent: run 'npm install ${name}' there`,
    )
  }
  let loaded: { readonly [name: string]: unknown }
  try {
    loaded = await import(pathToFileURL(file).href)
  } catch (error) {
    throw invalid(name, `Module '${name}' cannot be loaded from ${file}: ${(error as Error).message}`, error)
  }
  // A package with several plugins has handlers for each, under names of its own.
  const handlers = Object.values(loaded).filter(isHandlerModule)
  const services = Array.isArray(loaded.services) ? loaded.services.filter(isServiceRunner) : []
  if (handlers.length + services.length === 0)
    throw invalid(
      name,
      `Module '${name}' is no plugin with handlers: ${file} exports nothing made by defineHandlers, and no 'services' made by defineServiceRunner`,
    )
  return { handlers, services }
}

/** What `./handlers` of a package exports. */
export interface LoadedHandlers {
  handlers: readonly HandlerModule[]
  services: readonly ServiceRunner[]
}

function isServiceRunner(value: unknown): value is ServiceRunner {
  if (typeof value !== 'object' || value === null) return false
  const { service, run } = value as Partial<ServiceRunner>
  return typeof service === 'string' && typeof run === 'function'
}

function resolveFrom(from: string | URL, name: string): string | undefined {
  try {
    return createRequire(from).resolve(`${name}/handlers`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'MODULE_NOT_FOUND') return undefined
    if (code === 'ERR_PACKAGE_PATH_NOT_EXPORTED')
      throw invalid(name, `Package '${name}' has no entry './handlers': it has nothing for an agent to run`, error)
    throw invalid(name, `Module '${name}' cannot be found: ${(error as Error).message}`, error)
  }
}

function isHandlerModule(value: unknown): value is HandlerModule {
  if (typeof value !== 'object' || value === null) return false
  const { module, run } = value as Partial<HandlerModule>
  return typeof module === 'string' && typeof run === 'function'
}

function invalid(plugin: string, message: string, cause?: unknown): ContractorError {
  return new ContractorError('PLUGIN_INVALID', message, { plugin }, { cause })
}
