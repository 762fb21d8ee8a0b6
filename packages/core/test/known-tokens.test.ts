import { createContractor } from '@contractor/core'
import { expect, it } from 'vitest'
import { openShop } from './shop.ts'

it('a token that another process deletes is not let in any more', async () => {
  const { contractor, database } = await openShop()
  const other = await createContractor({ database: database.option, foreman: false })
  try {
    const { secret } = await contractor.tokens.create({ kind: 'admin', name: 'ann' })
    expect(await other.tokens.find(secret)).toEqual({ kind: 'admin', name: 'ann' })
    await contractor.tokens.delete('ann')
    expect(await contractor.tokens.find(secret)).toBeUndefined()
    await expect.poll(() => other.tokens.find(secret)).toBeUndefined()
  } finally {
    await other.close()
  }
})

it('a token that is made after it was asked for is let in', async () => {
  const { contractor } = await openShop()
  expect(await contractor.tokens.find('known-secret')).toBeUndefined()
  await contractor.tokens.create({ kind: 'admin', name: 'ann' }, { secret: 'known-secret' })
  expect(await contractor.tokens.find('known-secret')).toEqual({ kind: 'admin', name: 'ann' })
})
