import { sql } from 'drizzle-orm'
import { anyNumber } from '../database/any-of.ts'
import { type Db, executeRows } from '../database/database.ts'
import { refuseField } from '../noun/references.ts'
import { portNamed } from './interface.ts'

/** An aggregated interface with the members that it is to have, by name. */
export interface Aggregate {
  id: number
  name: string
  structure: number
  members: readonly string[]
}

interface Wanted {
  aggregate: number
  /** The name of the aggregated one. */
  of: string
  structure: number
  member: string
  position: number
}

/**
 * Replaces the members of these. Each must be a real interface of the Foundation or an abstract one of the Structure,
 * and belong to no other.
 */
export async function setMembers(tx: Db, aggregates: readonly Aggregate[]): Promise<void> {
  if (!aggregates.length) return
  const wanted = aggregates.flatMap(({ id, name, structure, members }) =>
    members.map((member, position): Wanted => ({ aggregate: id, of: name, structure, member, position })),
  )
  refuseRepeatedMembers(wanted)
  await tx.execute(
    sql`delete from contractor.interface_member where aggregate = ${anyNumber(aggregates.map(one => one.id))}`,
  )
  // The names of a Structure and its Foundation are one space: each member's name finds one interface at the most.
  const found = sql`jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb)
      as want(aggregate bigint, "of" text, structure bigint, member text, position int)
    join contractor.structure owner on owner.id = want.structure
    left join lateral ${portNamed(sql`want.member`, sql`owner.foundation`, sql`owner.id`)} port on true`
  const [wrong] = await executeRows<
    Pick<Wanted, 'of' | 'member'> & { structure: string; kind: string | null; holder: string | null }
  >(
    tx,
    sql`select want."of", want.structure::text, want.member, port.kind, holder.name as holder
        from ${found}
        left join contractor.interface_member part on part.member = port.id
        left join contractor.network_interface holder on holder.id = part.aggregate
        where port.id is null or port.kind = 'aggregated' or holder.id is not null
        order by want.aggregate, want.position limit 1`,
  )
  if (wrong) throw refuseMember(wrong.of, wrong.structure, wrong.member, whyNoMember(wrong))
  await tx.execute(
    sql`insert into contractor.interface_member (aggregate, member, position)
        select want.aggregate, port.id, want.position from ${found}`,
  )
}

function refuseRepeatedMembers(wanted: readonly Wanted[]): void {
  const holders = new Map<string, string>()
  for (const { of, structure, member } of wanted) {
    const holder = holders.get(`${structure} ${member}`)
    if (holder !== undefined) throw refuseMember(of, structure, member, `it belongs to '${holder}' already`)
    holders.set(`${structure} ${member}`, of)
  }
}

function whyNoMember({ kind, holder }: { kind: string | null; holder: string | null }): string {
  if (kind === null) return 'neither the Structure nor its Foundation has such an interface'
  return kind === 'aggregated' ? 'that is aggregated itself' : `it belongs to '${holder}' already`
}

const refuseMember = (of: string, structure: number | string, member: string, why: string) =>
  refuseField('members', `Interface '${of}' of Structure ${structure} cannot have the member '${member}': ${why}`)
