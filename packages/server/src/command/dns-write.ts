import { createContractor } from '@contractor/core'
import { loadPlugins } from './load-plugins.ts'

export interface DnsWriteOptions {
  database: string
  plugin: string[]
  namedConf?: string
  namedDirectory?: string
  check?: boolean
}

/**
 * Writes zone files and says which: the exit code is 0. With `check` it only says which it would: 0 when there is
 * nothing to write, 1 when there is.
 */
export async function writeDns(directory: string, options: DnsWriteOptions): Promise<0 | 1> {
  const { database, plugin, check = false, namedConf, namedDirectory } = options
  const contractor = await createContractor({ database, plugins: await loadPlugins(plugin), foreman: false })
  try {
    const write = { check, namedConf, namedDirectory, by: 'command' }
    const { changes, zones, warnings } = await contractor.dns.write(directory, write)
    for (const warning of warnings) process.stderr.write(`Warning: ${warning}\n`)
    for (const { file, change, serial } of changes)
      process.stdout.write(`${change}: ${file}${serial === undefined ? '' : `, serial ${serial}`}\n`)
    process.stdout.write(`${zones} zones, ${changes.length} files ${check ? 'would change' : 'changed'}\n`)
    return check && changes.length ? 1 : 0
  } finally {
    await contractor.close()
  }
}
