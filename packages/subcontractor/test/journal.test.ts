import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createJournal, type Journal } from '../src/journal.ts'

let folder: string
let directory: string
const lines: string[] = []
const open: Journal[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'))
  directory = join(folder, 'journal')
  lines.length = 0
})
afterEach(async () => {
  for (const journal of open.splice(0)) await journal.close()
  rmSync(folder, { recursive: true, force: true })
})

function create(): Journal {
  const journal = createJournal(directory, { log: (level, message) => lines.push(`${level} ${message}`) })
  open.push(journal)
  return journal
}
/** What the next process finds. */
async function reopen(journal: Journal) {
  await journal.close()
  return create().open()
}
const modeOf = (path: string) => statSync(path).mode & 0o777

/** What is in it but for its lock. */
const filesIn = (place: string) => readdirSync(place).filter(name => !name.endsWith('.lock'))

const claim = { taskId: 7, claimToken: 'token/7 \u2028' }
const answer = { ...claim, result: { secret: 'hush' } }

describe('a journal', () => {
  it('holds of each claim what was last said of it, until it is removed', async () => {
    const journal = create()
    expect(await journal.open()).toEqual([])
    const other = { taskId: 8, claimToken: 'token-8' }
    const third = { taskId: 8, claimToken: 'token-9' }
    await Promise.all([journal.begun(claim), journal.begun(other), journal.begun(third)])
    await journal.finished(answer)
    journal.remove(third)
    const records = await reopen(journal)
    expect(records).toHaveLength(2)
    expect(records).toContainEqual({ finished: answer })
    expect(records).toContainEqual({ begun: other })
    expect(lines).toEqual([])
  })

  it('takes steps of one claim in their order, and finishes them before it is given back', async () => {
    const journal = create()
    await journal.open()
    void journal.begun(claim)
    void journal.finished(answer)
    journal.remove(claim)
    void journal.begun({ ...claim, taskId: 9 })
    expect(await reopen(journal)).toEqual([{ begun: { ...claim, taskId: 9 } }])
  })

  it('is for its owner alone: the directory is made with mode 0700, its files have 0600', async () => {
    const journal = create()
    await journal.open()
    await journal.begun(claim)
    await journal.finished(answer)
    expect(modeOf(directory)).toBe(0o700)
    const files = filesIn(directory)
    expect(files).toHaveLength(1)
    for (const file of files) expect(modeOf(join(directory, file))).toBe(0o600)
  })

  it('warns of a directory that others may look into, and leaves it so', async () => {
    mkdirSync(directory)
    chmodSync(directory, 0o755)
    await create().open()
    expect(lines).toEqual(['warn others may look into the journal’s directory, mode 0700 is right for it'])
    expect(modeOf(directory)).toBe(0o755)
  })

  it('puts aside what cannot be read, takes away what was half written, and leaves what is not its own', async () => {
    const journal = create()
    await journal.open()
    await journal.begun(claim)
    const [name = ''] = filesIn(directory)
    const bad = `8-${'0'.repeat(32)}.json`
    const strange = `9-${'0'.repeat(32)}.json`
    writeFileSync(join(directory, bad), '{"finished": {"taskId"')
    writeFileSync(join(directory, strange), '{"finished": {"taskId": 9, "claimToken": "x"}}')
    writeFileSync(join(directory, `${bad}.new`), '{')
    writeFileSync(join(directory, 'package.json'), '{')
    expect(await reopen(journal)).toEqual([{ begun: claim }])
    expect(filesIn(directory).sort()).toEqual(
      [name, `${bad}.unreadable`, `${strange}.unreadable`, 'package.json'].sort(),
    )
    expect(lines).toEqual(Array(2).fill('error a record of the journal cannot be read and is put aside'))
  })

  it('that cannot be written goes on, and says so', async () => {
    const journal = create()
    await journal.open()
    await journal.begun(claim)
    // What is to be written first is a directory: stands for a full disk, and also for root.
    const [name = ''] = filesIn(directory)
    mkdirSync(join(directory, `${name}.new`))
    await journal.finished(answer)
    expect(lines).toEqual(['error the journal cannot keep an answer, which is sent all the same'])
    expect(JSON.parse(readFileSync(join(directory, name), 'utf8'))).toEqual({ begun: claim })
  })

  it('that is no directory is refused with the reason', async () => {
    writeFileSync(directory, '')
    await expect(create().open()).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message: expect.stringMatching(/^The journal .* cannot be used: EEXIST/),
    })
  })

  it('is for one at a time, by whatever path, and free once it is closed', async () => {
    const first = create()
    await first.open()
    directory = join(folder, '.', 'journal', '..', 'journal')
    await expect(create().open()).rejects.toMatchObject({
      code: 'IN_USE',
      message: expect.stringContaining('each agent needs a journal of its own'),
    })
    await first.close()
    expect(await create().open()).toEqual([])
  })
})
