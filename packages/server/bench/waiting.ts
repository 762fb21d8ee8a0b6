import type { Workshop } from './workshop.ts'

/** Copies of the measured Job, which waits for a timer, in the four ways of waiting. Far off, so that none is due. */
export async function addWaiting({ sql }: Workshop, count: number, prefix: string): Promise<void> {
  if (!count) return
  await sql`
    insert into contractor.foundation (locator, type, site, blueprint, state, created_at, updated_at)
    select ${prefix} || '-' || n, 'Bed', case n % 4 when 2 then 'elsewhere' else 'lab' end, 'bed',
      (case n % 4 when 3 then 'planned' else 'located' end)::contractor.foundation_state, now(), now()
    from generate_series(1, ${count}::int) as n`
  await sql`
    insert into contractor.job
      (foundation, action, program_id, state, vm, message, wake_at, created_by, created_at, updated_at)
    select ${prefix} || '-' || n, action, program_id,
      (case n % 4 when 3 then 'waiting' else 'queued' end)::contractor.job_state,
      case n % 4 when 3 then null else vm end, message,
      case n % 4 when 0 then now() + interval '10 years' end, created_by, now(), now()
    from contractor.job, generate_series(1, ${count}::int) as n
    where foundation like 'measured-%' and outcome is null`
  await sql`
    insert into contractor.task (job, site, module, function, params, claim_token, agent, lease_until, created_at)
    select job.id, foundation.site, 'press', 'stamp', '{"number":1}',
      case site when 'lab' then gen_random_uuid() end, case site when 'lab' then 'another' end,
      case site when 'lab' then now() + interval '10 years' end, now()
    from contractor.job join contractor.foundation on locator = job.foundation
    where job.foundation like ${`${prefix}-%`} and job.state = 'queued' and wake_at is null`
  // As autovacuum does soon after so many rows have come.
  await sql`vacuum analyze`
}
