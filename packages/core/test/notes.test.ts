import { createTestContractor } from '@contractor/core/testing'
import { expect, it, onTestFinished } from 'vitest'

it('a Note is about an object that is there, and is found by that', async () => {
  const { notes, sites, close } = await createTestContractor({ foreman: false })
  onTestFinished(close)
  await sites.create({ name: 'lab' })
  const note = await notes.create({ title: 'keys', kind: 'Site', key: 'lab' })
  expect((await notes.list({ kind: 'Site', key: 'lab' })).items).toEqual([note])
  await expect(notes.create({ title: 'x', kind: 'Site', key: 'none' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
