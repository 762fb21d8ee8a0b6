import type { FieldChange, LoadResult } from '@contractor/contract'
import { createContractor } from '@contractor/core'
import { loadPlugins } from './load-plugins.ts'

export interface LoadResourcesOptions {
  database: string
  plugin: string[]
  dryRun?: boolean
}

/** Loads resource files and prints what that changed: 0. A dry run prints what it would: 0 when nothing, 2 when something. */
export async function loadResources(files: string[], options: LoadResourcesOptions): Promise<0 | 2> {
  const { database, plugin, dryRun = false } = options
  const contractor = await createContractor({ database, plugins: await loadPlugins(plugin), foreman: false })
  try {
    const result = await contractor.resources.load(files, { dryRun, by: 'command' })
    for (const warning of result.warnings) process.stderr.write(`Warning: ${warning}\n`)
    process.stdout.write(describeResult(result, dryRun))
    return dryRun && result.changes.some(({ change }) => change !== 'unchanged') ? 2 : 0
  } finally {
    await contractor.close()
  }
}

function describeResult({ changes }: LoadResult, dryRun: boolean): string {
  const different = changes.filter(({ change }) => change !== 'unchanged')
  const lines = different.flatMap(({ change, kind, name, file, fields }) => [
    `${change}: ${kind} ${name} (${file})`,
    ...fields.flatMap(describeField),
  ])
  const same = changes.length - different.length
  const summary = `${different.length} ${dryRun ? 'would change' : 'changed'}, ${same} unchanged`
  return [...lines, summary, ''].join('\n')
}

function describeField({ field, before, after, diff }: FieldChange): string[] {
  if (diff !== undefined)
    return [
      `  ${field}:`,
      ...diff
        .trimEnd()
        .split('\n')
        .map(line => `    ${line}`),
    ]
  const [from, to] = [before, after].map(value => (value === undefined ? undefined : JSON.stringify(value)))
  if (from === undefined) return [`  ${field}: ${to}`]
  return [`  ${field}: ${from} → ${to ?? 'nothing'}`]
}
