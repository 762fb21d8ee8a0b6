import { ContractorError, parseInput } from '@contractor/contract/primitives'
import type { z } from 'zod'

export interface ServiceOptions<Name extends string, Config extends z.ZodObject> {
  /** As an agent's token and configurations name it, among the modules: lower case letters, digits and underscores. */
  name: Name
  description?: string
  /** What the server tells those that run it; texts in it may be a `secret()`. */
  config: Config
}

/**
 * Something that an agent runs all the time, as a DHCP server beside the machines: not for a Job, but for a Site. For each
 * Site that has a configuration of it, one agent at a time runs it.
 */
export interface ServicePlugin<Config extends z.ZodObject = z.ZodObject, Name extends string = string> {
  readonly kind: 'service'
  readonly name: Name
  readonly description: string
  readonly config: Config
}

const serviceName = /^[a-z][a-z0-9_]{0,39}$/

/** Declares a service. Throws PLUGIN_INVALID. */
export function defineService<const Name extends string, Config extends z.ZodObject>(
  options: ServiceOptions<Name, Config>,
): ServicePlugin<Config, Name> {
  const { name, description = '', config } = options
  if (!serviceName.test(name))
    throw new ContractorError(
      'PLUGIN_INVALID',
      `Service '${name}' cannot be used: its name must be lower case letters, digits and underscores, 40 at the most`,
      { plugin: name },
    )
  return { kind: 'service', name, description, config }
}

/** What a service is given besides its configuration. */
export interface ServiceContext {
  /** Aborted when the configuration changes, another agent has it, or the agent shuts down: resolve promptly. */
  readonly signal: AbortSignal
  /** The Site for which it is run. */
  readonly site: string
  /** One line for the agent's log. Never a secret. */
  log(message: string): void
}

/** A service as an agent runs it. */
export interface ServiceRunner {
  readonly service: string
  /** Resolves when `signal` is aborted and all is ended. Whatever ends it before is a failure: it is started again. */
  run(config: unknown, context: ServiceContext): Promise<void>
}

/** Binds what does the work to a service: `./handlers` of its package exports a list of these as `services`. */
export function defineServiceRunner<Config extends z.ZodObject>(
  service: ServicePlugin<Config>,
  run: (config: z.output<Config>, context: ServiceContext) => Promise<void>,
): ServiceRunner {
  return {
    service: service.name,
    run: async (config, context) =>
      run(parseInput(service.config, config, `The configuration of ${service.name}`), context),
  }
}
