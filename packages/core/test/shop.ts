import type { Json } from '@contractor/contract'
import {
  type Contractor,
  type ContractorOptions,
  createContractor,
  type Foundation,
  type Job,
  type Structure,
} from '@contractor/core'
import { createManualClock, type ManualClock } from '@contractor/core/testing'
import type { ClaimedTask } from '@contractor/plugin/wire'
import { onTestFinished } from 'vitest'
import { type DatabaseKind, postgresKind, type TestDatabase } from '../../../test/databases.ts'
import { gauge, lathe } from './lathe.ts'

/** An engine with a manual clock on a database of its own; PostgreSQL unless said, since it is the faster one. Its Foreman runs only when the test says so. */
export interface Shop {
  contractor: Contractor
  clock: ManualClock
  database: TestDatabase
  /** A BluePrint pair whose scripts are these, a Foundation and a Structure on it. */
  stack(
    scripts: Partial<Record<'create' | 'destroy' | 'foundationCreate' | 'foundationDestroy' | 'utility', string>>,
    name?: string,
  ): Promise<Stack>
  /** Everything that an agent is offered now. */
  claim(modules?: Record<string, number>): Promise<ClaimedTask[]>
  /** The only Task that an agent is offered now. */
  claimOne(): Promise<ClaimedTask>
  answer(task: ClaimedTask, result: Json): Promise<boolean>
  fail(task: ClaimedTask, message: string, retryable?: boolean): Promise<boolean>
}

export interface Stack {
  foundation: Foundation
  structure: Structure
}

export const agent = { name: 'agent', sites: ['lab'], modules: ['lathe', 'gauge', 'vat'] }

export async function openShop(
  kind: DatabaseKind = postgresKind,
  options: Partial<ContractorOptions> = {},
): Promise<Shop> {
  const database = await kind.create()
  onTestFinished(() => database.drop())
  const clock = createManualClock()
  const contractor = await createContractor({
    database: database.option,
    plugins: [lathe, gauge],
    clock,
    foreman: false,
    leaseMs: 10_000,
    ...options,
  })
  onTestFinished(() => contractor.close())
  await contractor.sites.create({ name: 'lab', configValues: { motto: 'measure twice' } })

  const shop: Shop = {
    contractor,
    clock,
    database,
    async stack(scripts, name = 'one') {
      const all = { create: '', destroy: '', foundationCreate: '', foundationDestroy: '', utility: '', ...scripts }
      for (const [which, source] of Object.entries(all))
        await contractor.scripts.put({ name: `${name}-${which}`, source })
      await contractor.blueprints.put({
        kind: 'foundation',
        name: `${name}-base`,
        scripts: { create: `${name}-foundationCreate`, destroy: `${name}-foundationDestroy` },
      })
      await contractor.blueprints.put({
        kind: 'structure',
        name: `${name}-top`,
        scripts: { create: `${name}-create`, destroy: `${name}-destroy`, polish: `${name}-utility` },
      })
      const foundation = await contractor.foundations.create({
        locator: name,
        type: 'Lathe',
        site: 'lab',
        blueprint: `${name}-base`,
        fields: { serial: 's1' },
      })
      const structure = await contractor.structures.create({
        hostname: name,
        site: 'lab',
        blueprint: `${name}-top`,
        foundation: name,
      })
      return { foundation, structure }
    },
    claim: (modules = { lathe: 10, gauge: 10 }) =>
      contractor.dispatch.claim(agent, {
        agent: 'bench',
        modules: Object.fromEntries(Object.entries(modules).map(([module, slots]) => [module, { slots }])),
        waitMs: 0,
      }),
    async claimOne() {
      const [only, ...others] = await shop.claim()
      if (!only || others.length) throw new Error(`${others.length + (only ? 1 : 0)} Tasks are offered, not one`)
      return only
    },
    async answer({ taskId, claimToken }, result) {
      return (await contractor.dispatch.results(agent, [{ taskId, claimToken, result }]))[0]?.accepted ?? false
    },
    async fail({ taskId, claimToken }, message, retryable = false) {
      return (
        (
          await contractor.dispatch.results(agent, [
            { taskId, claimToken, error: { code: 'TASK_FAILED', message, retryable } },
          ])
        )[0]?.accepted ?? false
      )
    },
  }
  return shop
}

/** A Structure whose create script is this, with its Job under way. */
export async function beginJob(script: string, kind?: DatabaseKind): Promise<Stack & { shop: Shop; job: Job }> {
  const shop = await openShop(kind)
  const { foundation, structure } = await shop.stack({ create: script })
  await foundation.setBuilt()
  const job = await structure.doCreate()
  await shop.contractor.foreman.runDue()
  return { shop, foundation, structure, job }
}
