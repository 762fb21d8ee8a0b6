import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ContractorError } from '@contractor/core'

/**
 * The plugin that new ones begin as: it is built and tested as it stands, under the name `lamp`. Where it is from here
 * depends on whether this is built.
 */
const template = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../template' : '../template', import.meta.url),
)

export interface NewPluginOptions {
  directory?: string
}

/** How a plugin is called where. */
interface Names {
  /** The npm package. */
  package: string
  /** In files and resources: `light-bulb`. */
  kebab: string
  /** In code: `lightBulb`. */
  camel: string
  /** The Foundation type: `LightBulb`. */
  pascal: string
  /** In text: `light bulb`. */
  words: string
}

/**
 * Writes a plugin that builds, keeps the laws and runs. Says what to do next. Throws VALIDATION_FAILED for a name that npm
 * or scripts could not have, and ALREADY_EXISTS for a folder with something in it.
 */
export async function newPlugin(name: string, options: NewPluginOptions, write: (text: string) => void): Promise<void> {
  const names = namesOf(name)
  const folder = resolve(options.directory ?? names.package.replace(/^@[^/]+\//, ''))
  const present = await readdir(folder).catch(() => [])
  if (present.length > 0)
    throw new ContractorError(
      'ALREADY_EXISTS',
      `The folder ${folder} is not empty: name another one with --directory`,
      {
        kind: 'folder',
        id: folder,
      },
    )
  for (const file of await templateFiles()) {
    const text = await readFile(join(template, file), 'utf8')
    const path = join(folder, rename(file, names))
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, rename(text, names))
  }
  const shown = relative(process.cwd(), folder) || '.'
  write(
    `${names.package}: a plugin with the Foundation type ${names.pascal}, in ${shown}\n\n` +
      `  cd ${shown}\n  npm install\n  npm run build\n  npm test\n  npm run demo\n\n` +
      'What its files are for is in docs/plugins.md of Contractor.\n',
  )
}

async function templateFiles(): Promise<string[]> {
  const entries = await readdir(template, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => relative(template, join(entry.parentPath, entry.name)))
}

function namesOf(name: string): Names {
  const parsed = /^(@[a-z0-9-]+\/)?(contractor-plugin-)?([a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/.exec(name)
  const [, scope = '', prefix = '', kebab = ''] = parsed ?? []
  if (!parsed || kebab.length > 40)
    throw new ContractorError(
      'VALIDATION_FAILED',
      `'${name}' cannot be a plugin's name: lower case letters, digits and - are needed, as in 'lamp', 'contractor-plugin-lamp' or '@acme/lamp'`,
      { issues: [{ path: 'name', message: 'is not valid' }] },
    )
  const parts = kebab.split('-')
  const pascal = parts.map(part => part.charAt(0).toUpperCase() + part.slice(1)).join('')
  const camel = pascal.charAt(0).toLowerCase() + pascal.slice(1)
  const own = scope || prefix ? name : `contractor-plugin-${kebab}`
  return { package: own, kebab, camel, pascal, words: parts.join(' ') }
}

function rename(text: string, names: Names): string {
  return (
    text
      // npm leaves a file of this name out of packages.
      .replace(/^gitignore$/, '.gitignore')
      .replaceAll('contractor-plugin-lamp', names.package)
      .replaceAll('Lamp', names.pascal)
      .replace(/(?<=\{ |const |\(|\[)lamp(?= \}| =|,|\]|\))/g, names.camel)
      .replace(/(?<=[/.'-])lamp|lamp(?=[\d.'/-])/g, names.kebab)
      .replaceAll('lamp', names.words)
  )
}
