import { afterAll, beforeAll } from 'vitest'
import { createPostgresDatabase, type TestDatabase } from '../../../test/databases.ts'
import type { SimulationDatabase } from '../simulation/database.ts'
import { openSimulation, runSeeds } from '../simulation/run-seeds.ts'

/** The database of a file's seeds, open while its tests run. Two files share the seeds, and so run side by side. */
export function openSeeds(): { readonly database: SimulationDatabase } {
  let created: TestDatabase
  let database: SimulationDatabase
  beforeAll(async () => {
    const postgres = await createPostgresDatabase()
    created = postgres
    database = await openSimulation(postgres.option)
  })
  afterAll(async () => {
    await database.close()
    await created.drop()
  })
  return {
    get database() {
      return database
    },
  }
}

/** The story of the first seed that breaks a law, with the command that runs it again. */
export async function findFailure(
  database: SimulationDatabase,
  first: number,
  count: number,
): Promise<string | undefined> {
  const { failures } = await runSeeds(database, { first, count, onResult: ({ violation }) => !violation })
  const [failure] = failures
  return failure && [...failure.trace, failure.violation?.message, `npm run sim -- --seed ${failure.seed}`].join('\n')
}
