import type { Contractor, Db } from '@contractor/core'
import type { EngineSlot, Request } from './engine-slot.ts'
import { generateScript } from './script.ts'
import type { World } from './world.ts'

/** What Jobs are ordered for. */
export interface SimulatedTarget {
  name: string
  ref: { foundation: string } | { structure: number } | { dependency: number }
  /** The script that its BluePrint, or itself, names for an action. */
  scriptOf(action: string): string
  actions: readonly string[]
}

const places = [0, 1]

/** What does not change from run to run is made once. */
export async function prepareTargets(contractor: Contractor): Promise<void> {
  await contractor.sites.create({ name: 'lab' })
  await contractor.sites.create({ name: 'annex', parent: 'lab' })
  for (const action of ['create', 'destroy']) await contractor.scripts.put({ name: `dependency-${action}`, source: '' })
  for (const at of places) {
    const actions = { foundation: ['create', 'destroy'], structure: ['create', 'destroy', 'tune'] }
    for (const kind of ['foundation', 'structure'] as const) {
      const name = `${kind}${at}`
      for (const action of actions[kind]) await contractor.scripts.put({ name: `${name}-${action}`, source: '' })
      const scripts = Object.fromEntries(actions[kind].map(action => [action, `${name}-${action}`]))
      await contractor.blueprints.put({ kind, name, scripts })
    }
    const foundation = `f${at}`
    await contractor.foundations.create({
      type: 'Anvil',
      locator: foundation,
      site: 'lab',
      blueprint: `foundation${at}`,
    })
    await contractor.structures.create({ hostname: `s${at}`, site: 'lab', blueprint: `structure${at}`, foundation })
  }
}

/** Puts what all runs share into the state in which this one begins. */
export async function createTargets({ random, database }: World): Promise<SimulatedTarget[]> {
  const structures = await database.client.unsafe<{ id: string; hostname: string }[]>(
    `update contractor.structure set state = 'planned' returning id, hostname`,
  )
  const targets: SimulatedTarget[] = []
  const states: string[] = []
  for (const at of places) {
    const isBuilt = random.chance(0.3)
    states.push(isBuilt ? 'built' : 'located')
    if (at > 0 && random.chance(0.5)) continue
    const locator = `f${at}`
    targets.push({
      name: locator,
      ref: { foundation: locator },
      scriptOf: action => `foundation${at}-${action}`,
      actions: ['create', 'destroy'],
    })
    const hostname = `s${at}`
    const id = Number(structures.find(one => one.hostname === hostname)?.id)
    if (isBuilt || random.chance(0.7)) {
      targets.push({
        name: hostname,
        ref: { structure: id },
        scriptOf: action => `structure${at}-${action}`,
        actions: ['create', 'destroy', 'tune'],
      })
    }
  }
  await database.client.unsafe(
    `update contractor.foundation set fields = '{}', site = 'lab', complex = null, state = (array[${states.map(state => `'${state}'`).join(', ')}]::contractor.foundation_state[])[right(locator, 1)::int + 1]`,
  )
  targets.push(...(await linkTargets({ random, database }, structures)))
  return targets
}

/**
 * At times, what the second Foundation needs: a Dependency on the first Structure, with scripts that run there; and a Complex
 * of that Structure, which provides it.
 */
async function linkTargets(
  { random, database: { client } }: Pick<World, 'random' | 'database'>,
  structures: readonly { id: string; hostname: string }[],
): Promise<SimulatedTarget[]> {
  const on = structures.find(one => one.hostname === 's0')?.id ?? ''
  if (random.chance(0.25)) {
    await client.unsafe(
      `with made as (insert into contractor.complex (name, site, built_percentage, created_at, updated_at) values ('c0', 'lab', 100, now(), now()) returning name),
         member as (insert into contractor.complex_member (complex, structure) select name, ${on} from made)
       update contractor.foundation set complex = made.name, state = 'planned' from made where locator = 'f1' and state = 'located'`,
    )
  }
  if (!random.chance(0.35)) return []
  const [row] = await client.unsafe<{ id: string }[]>(
    `insert into contractor.dependency (foundation, structure, link, script_structure, create_script, destroy_script, state, created_at, updated_at)
     select 'f1', ${on}, 'soft', ${on}, 'dependency-create', 'dependency-destroy', (case when state = 'built' then 'built' else 'planned' end)::contractor.structure_state, now(), now()
     from contractor.structure where id = ${on} returning id`,
  )
  const id = Number(row?.id)
  return [
    {
      name: `d${id}`,
      ref: { dependency: id },
      scriptOf: action => `dependency-${action}`,
      actions: ['create', 'destroy'],
    },
  ]
}

/** Writes a new script for the action and orders the Job: each Job has a script of its own, known by its run. */
export function order(
  world: World,
  engine: EngineSlot,
  targets: readonly SimulatedTarget[],
  options: { tx?: Db; by?: string } = {},
): Request {
  const { random, runs } = world
  const target = random.pick(targets)
  const action = random.chance(0.6) ? 'create' : random.pick(target.actions)
  const run = runs.size + 1
  const script = generateScript(random, run)
  runs.set(run, { target: target.name, action, script })
  for (const step of script.steps.keys()) {
    const kinds = ['retryable', 'final'] as const
    const refusals = random.chance(0.12) ? Array.from({ length: random.int(1, 3) }, () => random.pick(kinds)) : []
    if (refusals.length) world.ledger.plan(step, refusals)
  }
  return {
    label: `orders ${action} of ${target.name}, run ${run}`,
    engine,
    mayBeLocked: true,
    async run() {
      await engine.contractor.scripts.put({ name: target.scriptOf(action), source: script.source }, options)
      await engine.contractor.jobs.create(target.ref, action, options)
      world.count('jobs')
    },
  }
}
