import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { retryPolicy } from '@contractor/plugin'
import { describe, expect, it } from 'vitest'
import { verbs } from '../packages/core/src/job/job-verbs.ts'

describe('docs/jobs.md', () => {
  it('names every verb with the states in which it is allowed', async () => {
    const text = await readFile(join(import.meta.dirname, '../docs/jobs.md'), 'utf8')
    const rows = new Map(
      [...text.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, verb, states]) => [verb ?? '', states?.trim() ?? '']),
    )
    const all = ['waiting', 'queued', 'paused', 'error', 'aborted']
    for (const [verb, { from }] of Object.entries(verbs)) {
      const said = rows.get(verb) ?? ''
      const named = said.startsWith('any') ? all : all.filter(state => said.includes(state))
      expect(named.sort(), verb).toEqual([...from].sort())
    }
    expect(retryPolicy.parse({}).attempts).toBe(5)
  })

  it('says of every verb what becomes of a Task that is out', async () => {
    const text = await readFile(join(import.meta.dirname, '../docs/jobs.md'), 'utf8')
    for (const [verb, { task }] of Object.entries(verbs)) {
      const row = text.split('\n').find(line => line.startsWith(`| \`${verb}\` |`))
      expect(row?.split('|')[4], verb).toContain(task)
    }
  })
})
