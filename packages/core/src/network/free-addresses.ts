import { randomBytes } from 'node:crypto'
import { formatIp } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'

/**
 * Free addresses of a block, as the CTEs of a statement whose last one is `free (at, ip)`, counted from 1.
 *
 * The search goes from one free address to the next in the index of the block's addresses, and walks a run of used ones
 * once. A gateway within the block counts as used; network, broadcast and anycast addresses are outside of the range. All of this is
 * PostgreSQL's own arithmetic on addresses, so that it sees the block as it is when the statement begins.
 */
const block = (name: string): SQL => sql`
  span as materialized (
    select name, next_free, case when gateway <<= subnet then host(gateway)::inet end as gateway, host(subnet)::inet as base, hostmask(subnet) as hosts,
      case when family(subnet) = 4 then 32 else 128 end - masklen(subnet) > 1 as trimmed,
      host(broadcast(subnet))::inet as top
    from contractor.address_block where name = ${name}),
  block as materialized (
    select name, next_free, gateway, base, hosts, case when trimmed then base + 1 else base end as first,
      case when trimmed and family(base) = 4 then top - 1 else top end as last
    from span)`

// OFFSET 0 keeps this a lookup for each row: as a join, the planner may read and sort the whole block.
const used = (ip: SQL): SQL => sql`exists (
  select from contractor.address taken where taken.address_block = block.name and taken.ip = ${ip} offset 0)`

/** The lowest free one from `cursor` on: that itself, or one right behind a used one. Null when there is none. */
const freeFrom = (cursor: SQL): SQL => sql`coalesce(
  (select ${cursor} where ${cursor} is distinct from block.gateway and not ${used(cursor)}),
  least(
    (select block.gateway + 1 where block.gateway >= ${cursor} and block.gateway < block.last
      and not ${used(sql`(block.gateway + 1)`)}),
    (select before.ip + 1 from contractor.address before
      where before.address_block = block.name and before.ip >= ${cursor} and before.ip < block.last
        and before.ip + 1 is distinct from block.gateway and not ${used(sql`(before.ip + 1)`)}
      order by before.ip limit 1)))`

/** The lowest used one behind `ip`; null when there is none. */
const usedBehind = (ip: SQL): SQL => sql`least(
  (select taken.ip from contractor.address taken
    where taken.address_block = block.name and taken.ip > ${ip} order by taken.ip limit 1),
  case when block.gateway > ${ip} then block.gateway end)`

/** How many of a gap are taken. The difference of two IPv6 addresses may exceed what PostgreSQL can tell. */
const length = sql`case
  when family(gap.first) = 4 then least(search.wanted, coalesce(gap.behind, block.last) - gap.first + (gap.behind is null)::int)
  when coalesce(gap.behind, block.last) > gap.first + search.wanted then search.wanted
  else coalesce(gap.behind, block.last) - gap.first + (gap.behind is null)::int end`

/**
 * The lowest free ones. From the hint `next_free` on, below which everything is used; or from an address of the block
 * that is random, given as any address of either family, whose host part is taken.
 */
export function lowestFree(name: string, count: number, from: 'hint' | 'random' | 'first'): SQL {
  const anywhere = sql`(base | (case family(base) when 4 then ${randomIp(4)}::inet else ${randomIp(6)}::inet end & hosts))`
  const start = { hint: sql`next_free`, random: anywhere, first: sql`first` }[from]
  return sql`${block(name)},
  search(first, length, wanted, cursor) as (
    select null::inet, 0::bigint, ${count}::bigint, greatest(first, ${start}) from block
      where greatest(first, ${start}) <= last
    union all
    select gap.first, gap.length, search.wanted - gap.length,
      case when gap.first + (gap.length - 1) < block.last then gap.first + gap.length end
    from search cross join block
    cross join lateral (
      select gap.first, ${length} as length
      from (select free.first, ${usedBehind(sql`free.first`)} as behind
        from (select ${freeFrom(sql`search.cursor`)} as first offset 0) free where free.first is not null offset 0) gap
    ) gap
    where search.wanted > 0 and search.cursor is not null),
  free(at, ip) as materialized (
    select row_number() over (order by search.first, step), search.first + step
    from search cross join lateral generate_series(0, search.length - 1) as step)`
}

/** Of as many guesses, those that are free: enough of them unless the block is nearly full. */
export function guessedFree(name: string, count: number): SQL {
  const guesses = Array.from({ length: count * 2 + 16 }, (_, at) => ({ at, four: randomIp(4), six: randomIp(6) }))
  return sql`${block(name)},
  guess as (
    select base | (case family(base) when 4 then four else six end & hosts) as ip, min(at) as at
    from block cross join jsonb_to_recordset(${JSON.stringify(guesses)}::jsonb) as guess(at int, four inet, six inet) group by 1),
  free(at, ip) as materialized (
    select row_number() over (order by guess.at), guess.ip from guess cross join block
    where guess.ip between block.first and block.last and guess.ip is distinct from block.gateway and not ${used(sql`guess.ip`)}
    order by guess.at limit ${count})`
}

function randomIp(family: 4 | 6): string {
  return formatIp({ family, value: BigInt(`0x${randomBytes(family === 4 ? 4 : 16).toString('hex')}`) })
}
