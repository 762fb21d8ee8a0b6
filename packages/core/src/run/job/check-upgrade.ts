import type { Json } from '@contractor/contract'
import type { Plugin } from '@contractor/plugin'
import { type Program, parseState, referencedNames } from '@contractor/tscript'
import { sql } from 'drizzle-orm'
import { executeRows } from '../../database/database.ts'
import { type DatabaseOption, openDatabase } from '../../database/open-database.ts'
import { call, undoing } from '../../database/stored-call.ts'
import { createPluginRegistry, type PluginRegistry } from '../../engine/plugin-registry.ts'
import { ownModules } from '../module/own-modules.ts'

/** Whether one live Job can go on with the version and the plugins that are about to be started. */
export interface UpgradeCheck {
  job: number
  target: string
  action: string
  state: string
  /** Why it could not go on; it can when there is none. */
  problems: string[]
}

interface LiveJob extends Record<string, unknown> {
  id: string
  target: string
  action: string
  state: string
  type: string
  vm: Json
  undoing: Json
  compiled: Program
}

/**
 * Looks at every live Job of a database, and changes nothing in it: its program and state must be readable, and the
 * function that it is in must still be there and know its state. Throws DATABASE_IN_USE for an embedded database that a
 * server has open: stop that first.
 */
export async function checkUpgrade(database: DatabaseOption, plugins: readonly Plugin[]): Promise<UpgradeCheck[]> {
  const registry = createPluginRegistry(plugins, ownModules)
  const opened = await openDatabase(database, { migrate: false })
  try {
    const jobs = await executeRows<LiveJob>(
      opened.db,
      sql`select job.id::text, job.action, job.state::text, job.vm, job.undoing, program.compiled, foundation.type,
            coalesce('Foundation ' || job.foundation, 'Structure ' || structure.hostname) as target
          from contractor.job
          join contractor.program on program.id = job.program_id
          left join contractor.dependency on dependency.id = job.dependency
          left join contractor.structure on structure.id = coalesce(job.structure, dependency.script_structure)
          join contractor.foundation on foundation.locator = coalesce(job.foundation, structure.foundation)
          where job.outcome is null order by job.id`,
    )
    return jobs.map(({ id, target, action, state, ...job }) => ({
      job: Number(id),
      target,
      action,
      state,
      problems: problemsOf(registry, job),
    }))
  } finally {
    await opened.close()
  }
}

type Kept = Pick<LiveJob, 'type' | 'vm' | 'undoing' | 'compiled'>

function problemsOf(registry: PluginRegistry, { type, vm, undoing: kept, compiled: program }: Kept): string[] {
  const problems: string[] = []
  const attempt = (what: string, run: () => void) => {
    try {
      run()
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
    }
  }
  const checkCall = (module: string, name: string, value: unknown) => {
    const found = registry.findFunction(module, name, type)
    if (!found) return void problems.push(`${module}.${name}, which it is in, is provided by no plugin`)
    if (value !== null)
      attempt(`The state of ${module}.${name} cannot be read`, () =>
        found.definition.state.parse(call.parse(value).state),
      )
  }

  if (type !== '' && !registry.foundations.has(type))
    problems.push(`No plugin provides its Foundation's type '${type}'`)
  for (const module of Object.keys(referencedNames(program))) {
    const isOwn = module === 'foundation' || module === 'structure' || module === 'config'
    if (!isOwn && !registry.modules.has(module) && registry.foundations.get(type)?.module !== module)
      problems.push(`No plugin provides the module '${module}', which its script speaks of`)
  }
  if (vm !== null) {
    attempt('The state of its script cannot be read', () => {
      const { pending } = parseState(vm, program)
      if (pending) checkCall(pending.module, pending.function, pending.state)
    })
  }
  if (kept !== null) {
    attempt('Where its undoing stands cannot be read', () => {
      const { first } = undoing.parse(kept)
      if (first) checkCall(first.module, first.function, first.call)
    })
  }
  return problems
}
