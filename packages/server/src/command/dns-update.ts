import { readFile } from 'node:fs/promises'
import { ContractorError, createContractor, parseKeyFile, parseKeyText, type TsigKey } from '@contractor/core'
import { loadPlugins } from './load-plugins.ts'

export interface DnsUpdateOptions {
  database: string
  plugin: string[]
  server: string
  keyFile?: string
  zone: string[]
  keep: string[]
  check?: boolean
}

const keyVariable = 'CONTRACTOR_DNS_KEY'

/**
 * Updates a running name server and says what: the exit code is 0, or 2 when it failed for a zone. With `check` it only
 * says what it would: 0 when there is nothing to update, 1 when there is.
 */
export async function updateDns(options: DnsUpdateOptions): Promise<0 | 1 | 2> {
  const { database, plugin, server, zone, keep, check = false } = options
  const key = await readKey(options.keyFile)
  const contractor = await createContractor({ database, plugins: await loadPlugins(plugin), foreman: false })
  try {
    const only = zone.length ? { zones: zone } : {}
    const { zones, warnings } = await contractor.dns.update(server, key, { ...only, keep, check })
    for (const warning of warnings) process.stderr.write(`Warning: ${warning}\n`)
    const changed = zones.filter(one => one.added || one.removed || one.changedSoa)
    const failed = zones.filter(one => one.error !== undefined)
    for (const { zone: name, added, removed, changedSoa } of changed)
      process.stdout.write(`${name}: ${added} records added, ${removed} removed${changedSoa ? ', SOA changed' : ''}\n`)
    for (const { zone: name, error } of failed) process.stderr.write(`${name}: ${error}\n`)
    const would = check ? 'would change' : 'changed'
    process.stdout.write(`${zones.length} zones, ${changed.length} ${would}, ${failed.length} failed\n`)
    return failed.length ? 2 : check && changed.length ? 1 : 0
  } finally {
    await contractor.close()
  }
}

/** From a file or the environment: arguments of a program are seen by everybody on the machine. */
async function readKey(file: string | undefined): Promise<TsigKey> {
  const given = process.env[keyVariable]
  if (file !== undefined) {
    const text = await readFile(file, 'utf8').catch((error: Error) => {
      throw wrongKey(`The key file ${file} cannot be read: ${error.message}`)
    })
    return parseKeyFile(text, file)
  }
  if (given) return parseKeyText(given, keyVariable)
  throw wrongKey(`A key is needed: give --key-file FILE, or set ${keyVariable} to NAME:ALGORITHM:SECRET`)
}

function wrongKey(message: string): ContractorError {
  return new ContractorError('VALIDATION_FAILED', message, { issues: [{ path: 'key-file', message }] })
}
