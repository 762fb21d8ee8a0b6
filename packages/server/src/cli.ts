import { readFileSync } from 'node:fs'
import { isContractorError } from '@contractor/contract'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { CheckResourcesOptions } from './command/check-resources.ts'
import type { DnsUpdateOptions } from './command/dns-update.ts'
import type { DnsWriteOptions } from './command/dns-write.ts'
import type { LoadResourcesOptions } from './command/load-resources.ts'
import type { NewPluginOptions } from './command/new-plugin.ts'
import { addNounCommands } from './command/noun-commands.ts'
import type { CheckUpgradeOptions } from './command/report-upgrade.ts'
import type { ServeOptions } from './command/serve.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const number = (least: number, most: number) => (text: string) => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InvalidArgumentError(`A whole number from ${least} to ${most} is needed.`)
  return value
}
const collect = (value: string, previous: string[]) => [...previous, value]

const databaseOption = () =>
  new Option('--database <name>', 'pglite:DIRECTORY or postgres://…').default(
    process.env.DATABASE_URL ?? 'pglite:./contractor-data',
  )

const program = new Command('contractor')
  .description('Builds anything: creates, destroys and manipulates resources.')
  .version(version)

program
  .command('serve')
  .description('run the server: the REST API, the Foreman, and the dispatch to SubContractors')
  .addOption(databaseOption())
  .option('--host <address>', 'the address to listen on', '127.0.0.1')
  .option('--port <number>', 'the port to listen on; 0 for any free one', number(0, 65_535), 8080)
  .option('--plugin <package>', 'a plugin to load; may be given several times', collect, [])
  .option('--url <url>', 'where machines reach this server, when that is not where it listens')
  .option('--pxe-url <url>', 'where machines find images for network boots, with a slash at the end')
  .option(
    '--trusted-proxy <address>',
    'a proxy, or a subnet of proxies, that says truly for whom it asks; may be given several times',
    collect,
    [],
  )
  .option(
    '--lease <seconds>',
    'how long an agent may be silent about a Task before it is taken from it',
    number(1, 3600),
    15,
  )
  .option(
    '--keep-days <days>',
    'how long what is over is kept: Jobs, their history, events; 0 for ever',
    number(0, 36_500),
    90,
  )
  .addHelpText(
    'after',
    '\nEnvironment:\n  DATABASE_URL            the default of --database\n  CONTRACTOR_ADMIN_TOKEN  the admin token; one is made and printed when there is none',
  )
  .action(async (options: ServeOptions) => {
    const stop = new AbortController()
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.once(name, () => stop.abort())
    }
    // The engine is loaded when it is needed: help, and the refusal of an option, come at once.
    const { runServer } = await import('./command/serve.ts')
    await runServer(options, stop.signal)
  })

program
  .command('jobs')
  .description('look at the Jobs of a database')
  .command('check-upgrade')
  .description('say, for every live Job, whether it can go on with this version and these plugins; changes nothing')
  .addOption(databaseOption())
  .option('--plugin <package>', 'a plugin that is about to be loaded; may be given several times', collect, [])
  .option('--json', 'one JSON line for each Job')
  .action(async (options: CheckUpgradeOptions) => {
    const { reportUpgrade } = await import('./command/report-upgrade.ts')
    process.exitCode = await reportUpgrade(options)
  })

const resources = program.command('resources').description('BluePrints, scripts and PXEs, as resource files have them')

resources
  .command('check')
  .description('say what resource files would load, what their scripts call, and what is missing; needs no database')
  .argument('<file...>', 'TOML files, or folders with such')
  .option('--plugin <package>', 'a plugin whose types and functions there are; may be given several times', collect, [])
  .option('--json', 'JSON instead of text')
  .addHelpText(
    'after',
    '\nExit codes:\n  0  everything loads, and nothing is missing\n  1  a file cannot be read\n  2  something does not load, or is missing',
  )
  .action(async (files: string[], options: CheckResourcesOptions) => {
    const { runCheckResources } = await import('./command/check-resources.ts')
    process.exitCode = await runCheckResources(files, options)
  })

resources
  .command('load')
  .description('load resource files: all of them or none, in any order')
  .argument('<file...>', 'TOML files, or folders with such')
  .addOption(databaseOption())
  .option('--plugin <package>', 'a plugin whose names the scripts may use; may be given several times', collect, [])
  .option('--dry-run', 'change nothing, print what would change, line by line')
  .addHelpText(
    'after',
    '\nExit codes:\n  0  loaded; with --dry-run: nothing would change\n  1  refused: nothing is loaded\n  2  with --dry-run: something would change',
  )
  .action(async (files: string[], options: LoadResourcesOptions) => {
    const { loadResources } = await import('./command/load-resources.ts')
    process.exitCode = await loadResources(files, options)
  })

program
  .command('plugin')
  .description('plugins for Foundation types and modules')
  .command('new')
  .description('write a plugin that builds, keeps the laws of plugins, and runs: to begin with')
  .argument('<name>', "its name, as 'lamp', 'contractor-plugin-lamp' or '@acme/lamp'")
  .option('--directory <folder>', 'where; a new folder with the name of the package unless said')
  .action(async (name: string, options: NewPluginOptions) => {
    const { newPlugin } = await import('./command/new-plugin.ts')
    await newPlugin(name, options, text => process.stdout.write(text))
  })

const dns = program.command('dns').description('make a name server say what this database says')

dns
  .command('write')
  .description('write zone files and a fragment of named.conf into a folder: those that have changed')
  .argument('<directory>', 'the folder, which must exist')
  .addOption(databaseOption())
  .option('--plugin <package>', 'a plugin to load; may be given several times', collect, [])
  .option('--named-conf <file>', 'where the fragment goes; DIRECTORY/named.conf.contractor unless said')
  .option('--named-directory <path>', 'the folder as named sees it, when that is another path')
  .option('--check', 'change nothing, say what would change; the exit code is 1 when something would')
  .action(async (directory: string, options: DnsWriteOptions) => {
    const { writeDns } = await import('./command/dns-write.ts')
    process.exitCode = await writeDns(directory, options)
  })

dns
  .command('update')
  .description(
    'bring the zones of a running name server up to date with dynamic updates (RFC 2136), signed with a TSIG key',
  )
  .requiredOption('--server <address>', 'HOST, HOST:PORT or [IPv6]:PORT')
  .addOption(databaseOption())
  .option('--plugin <package>', 'a plugin to load; may be given several times', collect, [])
  .option('--key-file <file>', 'the key, as tsig-keygen writes it')
  .option('--zone <name>', 'only this zone; may be given several times', collect, [])
  .option('--keep <name>', 'a name within each zone that is left as it is; may be given several times', collect, [])
  .option('--check', 'change nothing, say what would change; the exit code is 1 when something would')
  .addHelpText('after', '\nEnvironment:\n  CONTRACTOR_DNS_KEY  the key as NAME:ALGORITHM:SECRET, without --key-file')
  .action(async (options: DnsUpdateOptions) => {
    const { updateDns } = await import('./command/dns-update.ts')
    process.exitCode = await updateDns(options)
  })

addNounCommands(program)

try {
  await program.parseAsync()
} catch (error) {
  // Our own errors say what to do next; a stack would only hide it.
  process.stderr.write(
    `contractor: ${isContractorError(error) ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  )
  process.exitCode = 1
}
