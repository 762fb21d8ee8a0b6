import { readFile } from 'node:fs/promises'
import { type Program, startServer } from './programs.ts'
import { openWorkshop, stepsScript, type Workshop } from './workshop.ts'

const jobs = 10_000

/** The server's memory once it has started so many Jobs, which all wait for their first Task's agent, and before any. */
export async function measureMemory() {
  const workshop = await openWorkshop({ script: stepsScript(10) })
  try {
    const server = await startServer(workshop.database)
    try {
      const emptyMb = await rssMb(server)
      await orderAtOnce(workshop, await workshop.addFoundations('bed', jobs))
      await begun(workshop)
      return { jobs, rssMb: await rssMb(server), emptyMb }
    } finally {
      await server.end()
    }
  } finally {
    await workshop.close()
  }
}

/** In one statement: here it does not matter how they are ordered. */
async function orderAtOnce({ sql }: Workshop, locators: readonly string[]): Promise<void> {
  await sql`
    insert into contractor.job (foundation, action, program_id, wake_at, created_by, created_at, updated_at)
    select locator, 'create', script.program_id, now(), 'bench', now(), now()
    from contractor.script, unnest(${locators as string[]}::text[]) as locator where script.name = 'build-bed'`
  await sql`notify contractor, 'job'`
}

async function begun({ sql }: Workshop): Promise<void> {
  for (;;) {
    const [row] = await sql<{ tasks: number }[]>`select count(*)::int as tasks from contractor.task`
    if (row?.tasks === jobs) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

async function rssMb({ pid }: Program): Promise<number> {
  const [, kb] = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kb) / 1024)
}
