import { checkResources, type ResourceCheck } from '@contractor/core'
import { loadPlugins } from './load-plugins.ts'

export interface CheckResourcesOptions {
  plugin: string[]
  json?: boolean
}

/** Prints what files would load, what their scripts use, and what is missing: 0 when nothing is, 2 when something is. */
export async function runCheckResources(
  files: string[],
  { plugin, json = false }: CheckResourcesOptions,
): Promise<0 | 2> {
  const check = await checkResources(files, { plugins: await loadPlugins(plugin) })
  process.stdout.write(json ? `${JSON.stringify(check, undefined, 2)}\n` : describeCheck(check))
  return isGood(check) ? 0 : 2
}

const isGood = ({ files, scripts, missing }: ResourceCheck): boolean =>
  !missing.length && files.every(one => one.error === undefined) && scripts.every(one => !one.errors.length)

const words = { structure: 'structures', foundation: 'foundations', script: 'scripts', pxe: 'PXEs', sflinks: 'links' }

function describeCheck({ files, scripts, missing }: ResourceCheck): string {
  const indented = (lines: readonly string[], mark: string) =>
    lines.map(line => `  ${mark} ${line.replaceAll('\n', '\n    ')}`)
  const ofFiles = files.flatMap(({ file, error, counts }) => {
    if (error !== undefined) return [`${file}: does not load`, ...indented([error], '✗')]
    const has = Object.entries(counts).flatMap(([kind, count]) => (count ? `${count} ${words[kind as 'pxe']}` : []))
    return [`${file}: ${has.join(', ') || 'nothing'}`]
  })
  const ofScripts = scripts.flatMap(({ name, file, types, uses, errors, notes }) => [
    `${name} (${file})${types.length ? `, for ${types.join(', ')}` : ', which no BluePrint names'}: ${uses.join(', ') || 'uses nothing'}`,
    ...indented(errors, '✗'),
    ...indented(notes, '·'),
  ])
  const bad = scripts.filter(one => one.errors.length).length + files.filter(one => one.error !== undefined).length
  return [
    ...['Files', ...ofFiles, '', 'Scripts', ...ofScripts, '', 'Missing'],
    ...(missing.length ? indented(missing, '✗') : ['  nothing']),
    ...['', bad + missing.length ? `${bad + missing.length} problems` : 'Everything loads, and nothing is missing', ''],
  ].join('\n')
}
