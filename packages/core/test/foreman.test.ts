import { describe, expect, it } from 'vitest'
import { databaseKinds } from '../../../test/databases.ts'
import { openShop } from './shop.ts'

describe.each(databaseKinds)('the Foreman on $kind', kind => {
  it('builds a stack in order when everything is ordered at once, and destroys it in the reverse order', async () => {
    const shop = await openShop(kind)
    const { foundation, structure } = await shop.stack({
      create: 'foundation.turn( speed=2 )',
      foundationCreate: 'foundation.oil()',
    })
    const structureJob = await structure.doCreate()
    const foundationJob = await foundation.doCreate()
    await shop.contractor.foreman.runDue()
    expect(await structureJob.refresh()).toMatchObject({
      state: 'waiting',
      message: "Waiting for Foundation 'one' to be built",
    })
    expect(await foundationJob.refresh()).toMatchObject({ state: 'waiting', message: 'Waiting to be located' })
    expect(await shop.claim()).toEqual([])

    await foundation.setLocated()
    await shop.contractor.foreman.runDue()
    const oil = await shop.claimOne()
    expect(oil).toMatchObject({ module: 'lathe', function: 'oil', attempt: 1 })
    expect(await shop.answer(oil, { oiled: true })).toBe(true)
    expect(await foundationJob.refresh()).toMatchObject({ state: 'done', outcome: 'completed', progress: 100 })
    await shop.contractor.foreman.runDue()

    const turn = await shop.claimOne()
    expect(turn).toMatchObject({ function: 'turn', params: { speed: 2 } })
    await shop.answer(turn, { turned: 7 })
    expect(await structureJob.refresh()).toMatchObject({ state: 'done', outcome: 'completed' })
    expect((await structure.refresh()).state).toBe('built')
    expect((await foundation.refresh()).fields).toEqual({ serial: 's1', turned: 7 })

    const uuid = (await structure.refresh()).configUuid
    const down = await foundation.doDestroy()
    await structure.doDestroy()
    await shop.contractor.foreman.runDue()
    expect(await down.refresh()).toMatchObject({ state: 'done' })
    expect((await foundation.refresh()).state).toBe('planned')
    expect(await structure.refresh()).toMatchObject({ state: 'planned' })
    expect((await structure.refresh()).configUuid).not.toBe(uuid)
  })

  it('looks before it does again what an agent may have done', async () => {
    const shop = await openShop(kind)
    const { foundation, structure } = await shop.stack({ create: 'foundation.turn()' })
    await foundation.setBuilt()
    const job = await structure.doCreate()
    await shop.contractor.foreman.runDue()
    const turn = await shop.claimOne()
    shop.clock.advance(11_000)
    await shop.contractor.foreman.runDue()
    expect(await shop.answer(turn, { turned: 1 })).toBe(false)
    shop.clock.advance(2_000)
    await shop.contractor.foreman.runDue()
    const look = await shop.claimOne()
    expect(look).toMatchObject({ function: 'look', params: { callId: (turn.params as { callId: string }).callId } })
    await shop.answer(look, { turned: 1 })
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })
})
