import type { Contractor } from '@contractor/core'
import type { EngineSlot, Request } from './engine-slot.ts'
import { generateScript } from './script.ts'
import type { World } from './world.ts'

/** What Jobs are ordered for. */
export interface SimulatedTarget {
  name: string
  ref: { foundation: string } | { structure: number }
  /** The script that its BluePrint names for an action. */
  scriptOf(action: string): string
  actions: readonly string[]
}

const places = [0, 1]

/** What does not change from run to run is made once. */
export async function prepareTargets(contractor: Contractor): Promise<void> {
  await contractor.sites.create({ name: 'lab' })
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
    `update contractor.foundation set fields = '{}', state = (array[${states.map(state => `'${state}'`).join(', ')}]::contractor.foundation_state[])[right(locator, 1)::int + 1]`,
  )
  return targets
}

/** Writes a new script for the action and orders the Job: each Job has a script of its own, known by its run. */
export function order(world: World, engine: EngineSlot, targets: readonly SimulatedTarget[]): Request {
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
    async run() {
      await engine.contractor.scripts.put({ name: target.scriptOf(action), source: script.source })
      await engine.contractor.jobs.create(target.ref, action)
      world.count('jobs')
    },
  }
}
