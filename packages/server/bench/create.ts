import { timeOf } from './figures.ts'
import { startServer } from './programs.ts'
import { post } from './request.ts'
import { openWorkshop, stepsScript } from './workshop.ts'

const single = 500
const stack = 1000

/** Jobs ordered one after the other through HTTP, and 1,000 of them in one transaction, as an embedding program does. */
export async function measureCreate() {
  const workshop = await openWorkshop({ script: stepsScript(10) })
  try {
    const server = await startServer(workshop.database)
    try {
      const order = (locator: string) => post(server.url, `/foundations/${locator}/create`)
      for (const locator of await workshop.addFoundations('warm', 100)) await order(locator)
      const locators = await workshop.addFoundations('bed', single)
      const oneByOneMs = await timeOf(async () => {
        for (const locator of locators) await order(locator)
      })
      await workshop.order(await workshop.addFoundations('warm-stack', 100))
      const stacked = await workshop.addFoundations('stack', stack)
      const stackMs = await timeOf(() => workshop.order(stacked))
      return {
        oneByOnePerSecond: Math.round((single * 1000) / oneByOneMs),
        stackPerSecond: Math.round((stack * 1000) / stackMs),
      }
    } finally {
      await server.end()
    }
  } finally {
    await workshop.close()
  }
}
