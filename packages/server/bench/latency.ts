import { quantile, rounded } from './figures.ts'
import { startServer } from './programs.ts'
import { post } from './request.ts'
import { openWorkshop, stepsScript } from './workshop.ts'

const warmSteps = 300
const steps = 1000

interface Reply {
  tasks: { taskId: number; claimToken: string }[]
}

/**
 * From the sending of a result to the next Task in hand, through HTTP, on a server that does nothing else. The benchmark
 * is the agent here, so that the clock is one.
 */
export async function measureLatency() {
  const workshop = await openWorkshop({ script: stepsScript(warmSteps + steps + 1) })
  try {
    const server = await startServer(workshop.database)
    try {
      await workshop.order(await workshop.addFoundations('bed', 1))
      const claim = { agent: 'bench', modules: { press: { slots: 1 } } }
      const ask = (path: string, body: unknown) =>
        post(server.url, `/dispatch/${path}`, body, workshop.agentToken) as Promise<Reply>
      let [task] = (await ask('claim', { ...claim, waitMs: 30_000 })).tasks
      const times: number[] = []
      for (let step = 0; step < warmSteps + steps; step++) {
        if (!task) throw new Error(`There is no Task for step ${step}`)
        const { taskId, claimToken } = task
        const sentAt = performance.now()
        ;[task] = (await ask('results', { results: [{ taskId, claimToken, result: { stamped: 1 } }], claim })).tasks
        if (step >= warmSteps) times.push(performance.now() - sentAt)
      }
      return { steps, medianMs: rounded(quantile(times, 0.5)), p99Ms: rounded(quantile(times, 0.99)) }
    } finally {
      await server.end()
    }
  } finally {
    await workshop.close()
  }
}
