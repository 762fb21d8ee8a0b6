import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { commandLine } from '../../../test/built.ts'
import { createPostgresDatabase } from '../../../test/databases.ts'

const root = join(import.meta.dirname, '../../..')
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function load(...args: string[]) {
  const command = [...commandLine('server'), 'resources', 'load', ...args]
  return new Promise<{ code: number; out: string; err: string }>(resolve =>
    execFile(process.execPath, command, { cwd: root }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    ),
  )
}

it('contractor resources load prints what files would change, loads them, and says where a mistake is', async () => {
  const database = await createPostgresDatabase()
  cleanups.push(() => database.drop())
  const folder = await mkdtemp(join(tmpdir(), 'contractor-resources-'))
  cleanups.push(() => rm(folder, { recursive: true }))
  const [base, web] = [join(folder, 'base.toml'), join(folder, 'web.toml')]
  const into = ['--database', database.option]
  await writeFile(base, '[structure.base.config_values]\nsize = 1\n[script.make]\nscript = """one = 1\ntwo = 2\n"""\n')
  await writeFile(web, '[structure.web]\nparents = ["base"]\nscripts = { create = "make" }\n')

  const first = await load(web, base, ...into)
  expect(first).toMatchObject({ code: 0, err: '' })
  expect(first.out).toContain(`created: structure web (${web})\n  parents: ["base"]\n  scripts.create: "make"\n`)
  expect(first.out).toMatch(/\n3 changed, 0 unchanged\n$/)

  await writeFile(base, '[structure.base.config_values]\nsize = 2\n[script.make]\nscript = """one = 1\ntwo = 22\n"""\n')
  const changes = [
    `changed: script make (${base})`,
    ...['  script:', '    --- script', '    +++ script', '    @@ -1,2 +1,2 @@'],
    ...['     one = 1', '    -two = 2', '    +two = 22'],
    `changed: structure base (${base})`,
    '  config_values.size: 1 → 2',
  ].join('\n')
  expect(await load(folder, '--dry-run', ...into)).toEqual({
    ...{ code: 2, out: `${changes}\n2 would change, 1 unchanged\n`, err: '' },
  })
  expect(await load(folder, ...into)).toEqual({ code: 0, out: `${changes}\n2 changed, 1 unchanged\n`, err: '' })
  expect(await load(folder, '--dry-run', ...into)).toEqual({ code: 0, out: '0 would change, 3 unchanged\n', err: '' })

  await writeFile(web, '[structure.web]\nparents = ["nobody"]\n')
  expect(await load(folder, ...into)).toEqual({
    code: 1,
    out: '',
    err: `contractor: ${web}:2: structure.web.parents: BluePrint 'web' names the parent 'nobody', and there is no BluePrint for a structure of that name\n`,
  })
})
