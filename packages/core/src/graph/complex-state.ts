import { eq, inArray } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { complex, complexMember, structure } from '../database/schema.ts'

/** How a Complex stands: derived from its members each time, so that it cannot be wrong. */
export interface ComplexState {
  readonly name: string
  readonly members: readonly { id: number; hostname: string; built: boolean }[]
  /**
   * At least `builtPercentage` of its members are built. Without members, one of a type is: what it names (a cloud's account,
   * somebody else's cluster) is there, and not built here; a group of nothing never is.
   */
  readonly built: boolean
  /** Whether it would be built without a member: that one's going takes nothing away. */
  builtWithout(structure: number): boolean
}

export async function complexStates(db: Db, names: readonly string[]): Promise<ReadonlyMap<string, ComplexState>> {
  if (!names.length) return new Map()
  const complexes = await db
    .select()
    .from(complex)
    .where(inArray(complex.name, [...names]))
  const rows = await db
    .select({ complex: complexMember.complex, id: structure.id, hostname: structure.hostname, state: structure.state })
    .from(complexMember)
    .innerJoin(structure, eq(structure.id, complexMember.structure))
    .where(inArray(complexMember.complex, [...names]))
    .orderBy(structure.id)
  return new Map(
    complexes.map(({ name, type, builtPercentage }) => {
      const members = rows
        .filter(row => row.complex === name)
        .map(({ id, hostname, state }) => ({ id, hostname, built: state === 'built' }))
      const enough = (built: number) =>
        members.length > 0 ? built * 100 >= builtPercentage * members.length : type !== null
      const built = members.filter(member => member.built).length
      return [
        name,
        {
          name,
          members,
          built: enough(built),
          builtWithout: id => enough(built - (members.some(member => member.id === id && member.built) ? 1 : 0)),
        },
      ]
    }),
  )
}
