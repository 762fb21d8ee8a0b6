import { ContractorError } from '@contractor/contract'
import { and, inArray, isNotNull, isNull, ne, or, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { job } from '../database/job-schema.ts'
import { networkInterface } from '../database/network-schema.ts'
import { dependency, foundation, structure } from '../database/schema.ts'
import type { Engine } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import type { NewEvent } from '../event/event.ts'
import { recordEvents } from '../event/record-events.ts'
import { forgetMatches } from './forget-matches.ts'
import { jobTarget, refName, type TargetRef, targetKey } from './target.ts'
import { wakeNeighbours } from './wake-neighbours.ts'

/**
 * The states of what is built, and how they change: `planned → located → built` for a Foundation, `planned → built` for
 * a Structure and a Dependency. Every change goes through here, whether a Job brought it or an explicit call, so that
 * each of them has its consequences, is logged, and wakes the Jobs that wait for it.
 */
export type StateChange =
  | { to: 'located' | 'built' | 'destroyed'; foundation: string }
  | { to: 'built' | 'destroyed'; structure: number }
  | { to: 'built' | 'destroyed'; dependency: number }

/** Applies state changes with what follows from them: a number of statements that does not grow with them. */
export async function applyStateChanges(
  engine: Engine,
  tx: Db,
  asked: readonly StateChange[],
  by: string,
): Promise<void> {
  if (!asked.length) return
  const changes = await withConsequences(tx, asked)
  await refuseUnderJobs(tx, asked, changes)
  await setStates(engine, tx, changes)
  await recordEvents(
    engine,
    tx,
    changes.map(one => toEvent(one, by)),
  )
  await wakeNeighbours(engine, tx, changes)
  await notify(tx, 'job')
}

/**
 * What goes with what is destroyed: the Structure on a Foundation, the Dependencies on a Structure or a Dependency, and
 * the Foundation of a hard Dependency. Level by level, until nothing more goes.
 */
async function withConsequences(tx: Db, asked: readonly StateChange[]): Promise<StateChange[]> {
  const all = new Map(asked.map(one => [targetKey(one), one]))
  let level = asked.filter(one => one.to === 'destroyed')
  while (level.length) {
    const found = await goesWith(tx, level)
    level = found.filter(one => !all.has(targetKey(one)))
    for (const one of level) all.set(targetKey(one), one)
  }
  return [...all.values()]
}

/** What a Job is at is not taken from under it: not the Foundation of its Structure either, by a hard Dependency. */
async function refuseUnderJobs(tx: Db, asked: readonly StateChange[], changes: readonly StateChange[]): Promise<void> {
  const own = new Set(asked.map(targetKey))
  const along = changes.filter(one => !own.has(targetKey(one)))
  if (!along.length) return
  const { foundations, structures, dependencies } = byKind(along)
  const found = await tx
    .select({ id: job.id, foundation: job.foundation, structure: job.structure, dependency: job.dependency })
    .from(job)
    .where(
      and(
        isNull(job.outcome),
        or(
          inArray(job.foundation, foundations),
          inArray(job.structure, structures),
          inArray(job.dependency, dependencies),
        ),
      ),
    )
    .orderBy(job.id)
  const [first] = found
  if (!first) return
  const by = found.map(one => `Job ${one.id} of ${refName(jobTarget(one))}`)
  const [target] = asked.filter(one => one.to === 'destroyed')
  throw new ContractorError(
    'IN_USE',
    `${refName(target as TargetRef)} cannot be destroyed: ${by.join(', ')} is at what goes with it. Cancel that first, or wait for its end.`,
    { kind: 'Job', id: first.id, by },
  )
}

async function goesWith(tx: Db, gone: readonly StateChange[]): Promise<StateChange[]> {
  const { foundations, structures, dependencies } = byKind(gone)
  const above = foundations.length
    ? await tx
        .select({ id: structure.id })
        .from(structure)
        .where(and(inArray(structure.foundation, foundations), ne(structure.state, 'planned')))
    : []
  const on = [
    ...(structures.length ? [inArray(dependency.structure, structures)] : []),
    ...(dependencies.length ? [inArray(dependency.dependency, dependencies)] : []),
  ]
  const edges = on.length
    ? await tx
        .select({ id: dependency.id })
        .from(dependency)
        .where(and(or(...on), ne(dependency.state, 'planned')))
    : []
  const pulled = dependencies.length
    ? await tx
        .select({ locator: foundation.locator })
        .from(dependency)
        .innerJoin(foundation, sql`${foundation.locator} = ${dependency.foundation}`)
        .where(
          and(inArray(dependency.id, dependencies), sql`${dependency.link} = 'hard'`, ne(foundation.state, 'planned')),
        )
    : []
  return [
    ...above.map(({ id }): StateChange => ({ to: 'destroyed', structure: id })),
    ...edges.map(({ id }): StateChange => ({ to: 'destroyed', dependency: id })),
    ...pulled.map(({ locator }): StateChange => ({ to: 'destroyed', foundation: locator })),
  ]
}

async function setStates(engine: Engine, tx: Db, changes: readonly StateChange[]): Promise<void> {
  const now = engine.clock.now()
  const of = (to: StateChange['to']) => byKind(changes.filter(one => one.to === to))
  const located = of('located').foundations
  if (located.length) {
    await tx
      .update(foundation)
      .set({ state: 'located', locatedAt: now, updatedAt: now })
      .where(inArray(foundation.locator, located))
  }
  const built = of('built')
  if (built.foundations.length) {
    await tx
      .update(foundation)
      .set({ state: 'built', locatedAt: sql`coalesce(${foundation.locatedAt}, ${now})`, builtAt: now, updatedAt: now })
      .where(inArray(foundation.locator, built.foundations))
  }
  const isBuilt = { state: 'built', builtAt: now, updatedAt: now } as const
  if (built.structures.length) await tx.update(structure).set(isBuilt).where(inArray(structure.id, built.structures))
  if (built.dependencies.length)
    await tx.update(dependency).set(isBuilt).where(inArray(dependency.id, built.dependencies))

  const gone = of('destroyed')
  if (gone.foundations.length) {
    await tx
      .update(foundation)
      .set({ state: 'planned', locatedAt: null, builtAt: null, idMap: null, updatedAt: now })
      .where(inArray(foundation.locator, gone.foundations))
    await forgetMatches(engine, tx, gone.foundations, 'Its Foundation was destroyed')
    // What comes in its place has other cards, and boots nothing until its Job says so.
    await tx
      .update(networkInterface)
      .set({ mac: null, pxe: null, updatedAt: now })
      .where(
        and(
          inArray(networkInterface.foundation, gone.foundations),
          or(isNotNull(networkInterface.mac), isNotNull(networkInterface.pxe)),
        ),
      )
  }
  if (gone.structures.length) {
    // A new config UUID: a machine that still runs the old Structure is told nothing of the next one.
    await tx
      .update(structure)
      .set({ state: 'planned', builtAt: null, configUuid: sql`gen_random_uuid()`, updatedAt: now })
      .where(inArray(structure.id, gone.structures))
  }
  if (gone.dependencies.length) {
    await tx
      .update(dependency)
      .set({ state: 'planned', builtAt: null, updatedAt: now })
      .where(inArray(dependency.id, gone.dependencies))
  }
}

function byKind(refs: readonly TargetRef[]) {
  return {
    foundations: refs.flatMap(one => ('foundation' in one ? [one.foundation] : [])),
    structures: refs.flatMap(one => ('structure' in one ? [one.structure] : [])),
    dependencies: refs.flatMap(one => ('dependency' in one ? [one.dependency] : [])),
  }
}

function toEvent({ to, ...target }: StateChange, by: string): NewEvent {
  const [kind] = Object.keys(target) as ['foundation' | 'structure' | 'dependency']
  return { type: `${kind}.${to}` as NewEvent['type'], by, ...target }
}
