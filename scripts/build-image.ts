import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import { makeImage } from '../packages/core/src/database/memory-image.ts'
import { lastMigration } from '../packages/core/src/database/migrate.ts'

/**
 * Puts the image of an embedded database (see memory-image.ts) into the built engine. It is made anew when what it is made
 * by has changed, which its first line tells: the migrations, the version of PGlite, or the way.
 */
const root = join(import.meta.dirname, '..')
const file = join(root, 'packages/core/dist/built-image.js')

const sources = ['packages/core/src/database/migrations.ts', 'packages/core/src/database/memory-image.ts']
const madeBy = [...sources, 'scripts/build-image.ts', 'node_modules/@electric-sql/pglite/package.json']
const hash = createHash('sha256')
for (const source of madeBy) hash.update(await readFile(join(root, source)))
const heading = `// ${hash.digest('hex')}\n`

const present = await readFile(file, 'utf8').catch(() => '')
if (!present.startsWith(heading)) {
  const image = Buffer.from(await (await makeImage()).arrayBuffer())
  // The three databases of a data directory are nearly the same: a window that spans them makes a third of it.
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 }
  const data = (await promisify(brotliCompress)(image, { params })).toString('base64')
  await writeFile(file, `${heading}export const builtImage = { migration: ${lastMigration}, data: '${data}' }\n`)
}
