import { sql } from 'drizzle-orm'
import { bigint, text } from 'drizzle-orm/pg-core'
import { contractor } from './columns.ts'

/**
 * What needs what, belongs to what and names what: the one place that says it. An edge leads from what needs to what is needed; each
 * end is a kind with an id or a name, whichever that kind has. `from_title` is how messages name where it comes from.
 *
 * Every branch has its kinds as constants and its ends as plain columns: a condition on them comes down to an index of
 * one table, and branches of other kinds are not looked at.
 */
export const edge = contractor
  .view('edge', {
    kind: text('kind').notNull(),
    fromKind: text('from_kind').notNull(),
    fromId: bigint('from_id', { mode: 'number' }),
    fromName: text('from_name'),
    fromTitle: text('from_title').notNull(),
    toKind: text('to_kind').notNull(),
    toId: bigint('to_id', { mode: 'number' }),
    toName: text('to_name'),
  })
  .as(
    sql`select 'stands on' as kind, 'Structure' as from_kind, id as from_id, null::text as from_name, hostname as from_title,
        'Foundation' as to_kind, null::bigint as to_id, foundation as to_name from contractor.structure
      union all select 'waits for', 'Foundation', null::bigint, foundation, foundation, 'Dependency', id, null::text from contractor.dependency
      union all select 'depends on', 'Dependency', id, null::text, id::text, 'Structure', structure, null::text
        from contractor.dependency where structure is not null
      union all select 'depends on', 'Dependency', id, null::text, id::text, 'Dependency', dependency, null::text
        from contractor.dependency where dependency is not null
      union all select 'runs scripts on', 'Dependency', id, null::text, id::text, 'Structure', script_structure, null::text
        from contractor.dependency where script_structure is distinct from structure
      union all select 'is provided by', 'Foundation', null::bigint, locator, locator, 'Complex', null::bigint, complex
        from contractor.foundation where complex is not null
      union all select 'consists of', 'Complex', null::bigint, complex, complex, 'Structure', structure, null::text from contractor.complex_member
      union all select 'belongs to', 'Site', null::bigint, name, name, 'Site', null::bigint, parent from contractor.site where parent is not null
      union all select 'belongs to', 'Foundation', null::bigint, locator, locator, 'Site', null::bigint, site from contractor.foundation
      union all select 'belongs to', 'Structure', id, null::text, hostname, 'Site', null::bigint, site from contractor.structure
      union all select 'belongs to', 'Complex', null::bigint, name, name, 'Site', null::bigint, site from contractor.complex
      union all select 'belongs to', 'AddressBlock', null::bigint, name, name, 'Site', null::bigint, site from contractor.address_block
      union all select 'belongs to', 'Network', null::bigint, name, name, 'Site', null::bigint, site from contractor.network
      union all select 'is in', 'Plot', null::bigint, name, name, 'Plot', null::bigint, parent from contractor.plot where parent is not null
      union all select 'is in', 'Foundation', null::bigint, locator, locator, 'Plot', null::bigint, plot from contractor.foundation where plot is not null
      union all select 'has names in', 'Site', null::bigint, name, name, 'Zone', null::bigint, zone from contractor.site where zone is not null
      union all select 'is delegated by', 'Zone', null::bigint, name, name, 'Zone', null::bigint, parent from contractor.zone where parent is not null
      union all select 'carries', 'Network', null::bigint, network, network, 'AddressBlock', null::bigint, address_block
        from contractor.network_address_block
      union all select 'is of', 'Address', id, null::text, host(ip), 'AddressBlock', null::bigint, address_block from contractor.address
      union all select 'is made of', 'Structure', id, null::text, hostname, 'BluePrint', null::bigint, blueprint from contractor.structure
      union all select 'is made of', 'Foundation', null::bigint, locator, locator, 'BluePrint', null::bigint, blueprint from contractor.foundation
      union all select 'inherits from', 'BluePrint', null::bigint, blueprint, blueprint, 'BluePrint', null::bigint, parent from contractor.blueprint_parent
      union all select 'may stand on', 'BluePrint', null::bigint, blueprint, blueprint, 'BluePrint', null::bigint, foundation_blueprint
        from contractor.blueprint_foundation
      union all select 'names', 'BluePrint', null::bigint, blueprint, blueprint, 'Script', null::bigint, script from contractor.blueprint_script
      union all select 'names', 'Dependency', id, null::text, id::text, 'Script', null::bigint, create_script
        from contractor.dependency where create_script is not null
      union all select 'names', 'Dependency', id, null::text, id::text, 'Script', null::bigint, destroy_script
        from contractor.dependency where destroy_script is not null and destroy_script is distinct from create_script`,
  )
