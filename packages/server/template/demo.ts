import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createContractor } from '@contractor/core'
import { handlers } from './src/handlers/index.js'
import { lamp } from './src/index.js'

/** One Lamp, created and destroyed: the engine on a database in memory, and the handlers in this process. */
const folder = await mkdtemp(join(tmpdir(), 'lamp-demo-'))
const contractor = await createContractor({ database: 'memory:', plugins: [lamp], handlers: [handlers] })
try {
  await contractor.resources.load(fileURLToPath(new URL('./resources.toml', import.meta.url)))
  await contractor.sites.create({ name: 'lab' })
  const file = join(folder, 'lamp01')
  const foundation = await contractor.foundations.create({
    type: 'Lamp',
    locator: 'lamp01',
    site: 'lab',
    blueprint: 'lamp-base',
    fields: { file },
  })
  await foundation.setLocated()
  for (const order of [() => foundation.doCreate(), () => foundation.doDestroy()]) {
    const job = await order()
    for await (const { progress, message } of job.watch()) console.log(`${job.action}  ${progress} %  ${message}`)
    await job.completed()
    console.log(`${job.action}: the lamp is ${await readFile(file, 'utf8')}`)
  }
} finally {
  await contractor.close()
  await rm(folder, { recursive: true })
}
