import { sql } from 'drizzle-orm'
import { anyNumber, anyText } from '../../database/any-of.ts'
import { type Db, executePrepared } from '../../database/database.ts'
import type { Work } from './work.ts'

/**
 * Says which Jobs cannot be written now, since somebody else has in hand what their transitions may write besides the Job:
 * their Foundation, the Structure on it, the Dependency, the Site that a Task refers to. Locks the rest. Asked only where
 * a batch was held up: what is not locked needs no asking.
 */
export async function findHeldUp(tx: Db, works: readonly Work[]): Promise<Set<number>> {
  const foundations = new Set(works.map(one => one.target.foundation.locator))
  const structures = new Set(works.flatMap(one => one.target.structure?.id ?? []))
  const dependencies = new Set(works.flatMap(one => one.target.dependency?.id ?? []))
  const sites = new Set(works.map(one => one.target.foundation.site))
  const free = async (statement: Parameters<typeof executePrepared>[1]) =>
    new Set((await executePrepared<{ id: string }>(tx, statement)).map(row => row.id))
  const freeSites = await free(
    sql`select name as id from contractor.site where name = ${anyText(sites)} order by name for key share skip locked`,
  )
  const freeFoundations = await free(
    sql`select locator as id from contractor.foundation where locator = ${anyText(foundations)} order by locator for no key update skip locked`,
  )
  const freeStructures = await free(
    sql`select id::text as id from contractor.structure where id = ${anyNumber(structures)} order by structure.id for no key update skip locked`,
  )
  const freeDependencies = await free(
    sql`select id::text as id from contractor.dependency where id = ${anyNumber(dependencies)} order by dependency.id for no key update skip locked`,
  )
  const isFree = ({ target: { foundation, structure, dependency } }: Work) =>
    freeSites.has(foundation.site) &&
    freeFoundations.has(foundation.locator) &&
    (!structure || freeStructures.has(String(structure.id))) &&
    (!dependency || freeDependencies.has(String(dependency.id)))
  return new Set(works.filter(one => !isFree(one)).map(one => one.job.id))
}
