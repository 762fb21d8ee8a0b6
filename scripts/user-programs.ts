/** Programs as users write them, which check-packages.ts compiles and runs outside of this repository. */

/** Needs the migrations and the embedded database to be in the packages too. Its argument names the database. */
export const embedding = `
import { createContractor } from '@contractor/core'
import { processFoundation } from '@contractor/plugin-process'

const contractor = await createContractor({ database: process.argv[2] ?? 'memory:', plugins: [processFoundation] })
await contractor.sites.create({ name: 'lab' })
console.log((await contractor.sites.list()).items.map(site => site.name).join())
await contractor.close()
`

/** An application with tables and plugins of its own. Only compiled: what it says has to be so for the compiler. */
export const application = `
import { createContractor } from '@contractor/core'
import { createTestContractor } from '@contractor/core/testing'
import { defineFoundation, defineTaskFunction, defineTasks } from '@contractor/plugin'
import { PGlite } from '@electric-sql/pglite'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { z } from 'zod'

const tasks = defineTasks({ light: { params: z.object({ on: z.boolean() }), result: z.object({ was: z.boolean() }) } })
const lamp = defineFoundation({
  type: 'Lamp',
  fields: z.object({ file: z.string() }),
  tasks,
  functions: {
    light: defineTaskFunction({
      args: z.object({ on: z.boolean() }),
      task: tasks.light,
      params: ({ on }) => ({ on }),
      result: z.boolean(),
      value: ({ was }) => was,
      idempotent: true,
    }),
  },
})

const schema = { orders: pgTable('orders', { name: text('name').notNull() }) }
const client = postgres('postgres://nobody@127.0.0.1:1/none')
const database = drizzle(client, { schema })
export const contractor = await createContractor({ database, plugins: [lamp] })
await database.transaction(async tx => {
  await tx.insert(schema.orders).values({ name: 'web' })
  const site = await contractor.sites.create({ name: 'lab' }, { tx })
  const name: string = site.name
  console.log(name)
})

const embedded = drizzlePglite(await PGlite.create(), { schema })
await embedded.transaction(tx => contractor.sites.list({}, { tx }))
for (const option of [client, embedded, embedded.$client]) await createContractor({ database: option })
export const ofTests: typeof contractor = await createTestContractor({ plugins: [lamp] })

// @ts-expect-error a number names no database
await createContractor({ database: 5 })
// @ts-expect-error what is no drizzle transaction is none
await contractor.sites.list({}, { tx: client })
`
