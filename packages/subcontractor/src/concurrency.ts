import { ContractorError, type HandlerModule } from '@contractor/plugin'

const defaultConcurrency = 4

/** How many Tasks at once each module may have. Throws PLUGIN_INVALID for two modules of one name, or a limit that cannot be. */
export function concurrencyOf(
  handlers: readonly HandlerModule[],
  concurrency: Readonly<Record<string, number>>,
): Map<string, number> {
  const names = handlers.map(({ module }) => module)
  const limits = new Map(names.map(name => [name, concurrency[name] ?? defaultConcurrency]))
  for (const name of names)
    if (names.indexOf(name) !== names.lastIndexOf(name))
      throw new ContractorError('PLUGIN_INVALID', `Two plugins have handlers of module '${name}'`, { plugin: name })
  for (const name of Object.keys(concurrency))
    if (!limits.has(name))
      throw new ContractorError(
        'PLUGIN_INVALID',
        `A concurrency is given for module '${name}', which this agent does not have; it has ${names.join(', ')}`,
        { plugin: name },
      )
  for (const [name, limit] of limits)
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
      throw new ContractorError(
        'PLUGIN_INVALID',
        `The concurrency of module '${name}' must be a whole number from 1 to 1000, and is ${limit}`,
        { plugin: name },
      )
  return limits
}
