import type { ServicesReply, ServicesRequest } from '@contractor/plugin/wire'
import { sql } from 'drizzle-orm'
import { anyText } from '../../database/any-of.ts'
import type { Values } from '../../database/columns.ts'
import { type Db, executePrepared } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import type { AgentIdentity } from '../task/agent-identity.ts'
import { allowedSites, leaseEnd } from '../task/claim-tasks.ts'

interface Assigned extends Record<string, unknown> {
  id: string
  token: string
  name: string
  site: string
  config: Values
  version: number
}

/**
 * What an agent is to run: what it runs already, and what nobody does that is heard of. Each is one agent's at a time, by a
 * claim with a lease. What somebody else has in hand at this moment, its agent keeps until the next time.
 */
export async function assignServices(
  engine: Engine,
  tx: Db,
  agent: AgentIdentity,
  { agent: name, services, running }: ServicesRequest,
): Promise<ServicesReply> {
  const names = services.filter(one => agent.modules.includes(one))
  const shown = sql`jsonb_to_recordset(${JSON.stringify(running)}::jsonb) as shown(id bigint, "claimToken" text, trouble text)`
  const rows = await executePrepared<Assigned>(
    tx,
    sql`with recursive ${allowedSites({ agent, name, capacity: {}, request: null })},
        free as (
          select service.id from contractor.service left join ${shown} on shown.id = service.id
          where service.name = ${anyText(names)} and service.site in (select name from allowed)
            and (service.claim_token::text = shown."claimToken" or service.lease_until is null
              or service.lease_until < ${engine.clock.now()})
          for update of service skip locked),
        taken as (
          update contractor.service set agent = ${name}, lease_until = ${leaseEnd(engine)}, trouble = coalesce(said.trouble, ''),
            claim_token = case when said.id is null then gen_random_uuid() else claim_token end
          from free left join (
            select shown.* from ${shown} join contractor.service own
              on own.id = shown.id and own.claim_token::text = shown."claimToken") as said on said.id = free.id
          where service.id = free.id
          returning service.id, claim_token, service.name, site, config, version)
        select id::text, claim_token::text as token, name, site, config, version from taken
        union all
        select service.id::text, service.claim_token::text, service.name, service.site, service.config, service.version
        from contractor.service join ${shown} on shown.id = service.id and shown."claimToken" = service.claim_token::text
        where service.id not in (select id from taken) and service.name = ${anyText(names)}
          and service.site in (select name from allowed)`,
  )
  return {
    run: rows.map(row => ({
      id: Number(row.id),
      claimToken: row.token,
      service: row.name,
      site: row.site,
      config: engine.seals.reveal(row.config),
      version: row.version,
      leaseMs: engine.leaseMs,
    })),
  }
}
