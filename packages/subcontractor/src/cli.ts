import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { createSubContractor } from './create-subcontractor.ts'
import { loadHandlers } from './load-handlers.ts'
import { createLineLog } from './log.ts'
import { readToken } from './read-token.ts'

interface Options {
  server: string
  module: string[]
  name: string
  tokenFile?: string
  concurrency?: Record<string, number>
  grace: number
  journal?: string
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const program = new Command('subcontractor')
  .description('The agent of Contractor: pulls single tasks from a server and does them.')
  .version(version)
  .requiredOption('--server <url>', 'the server, for instance https://contractor.example', parseServer)
  .requiredOption('--module <package>', 'a plugin package whose handlers to run; may be repeated', collect)
  .option('--name <name>', 'who this agent is, in the server’s logs', hostname().slice(0, 100))
  .option('--token-file <file>', 'a file with the agent’s token')
  .option('--concurrency <module=n>', 'how many tasks of a module at once (4 unless said); may be repeated', limits)
  .option('--grace <seconds>', 'how long running tasks may take to finish at SIGTERM', parseSeconds, 10)
  .option(
    '--journal <directory>',
    'where begun tasks and undelivered answers outlive a kill; made if missing, for one agent at a time',
  )
  .addHelpText(
    'after',
    '\nThe token is read from --token-file, or else from the environment variable CONTRACTOR_TOKEN.\n' +
      'SIGTERM and SIGINT finish or hand back what is running; a second one exits at once.\n' +
      'A server that is away, or a proxy that answers in its place, is tried again for ever. The agent ends when the\n' +
      'server itself refuses its token, or when another process has its journal.',
  )
  .parse()

try {
  process.exit(await main(program.opts<Options>()))
} catch (error) {
  process.stderr.write(`subcontractor: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

/** Resolves with the exit code: 0 after a signal, 1 when the server refuses the agent or it cannot have its journal, which the log explains. */
async function main(options: Options): Promise<number> {
  const { server, module: packages, name, tokenFile, concurrency, grace, journal } = options
  const token = readToken(tokenFile, process.env)
  const log = createLineLog(line => process.stderr.write(line), { secret: token, time: () => new Date() })
  const loaded = []
  for (const plugin of packages) loaded.push(await loadHandlers(plugin, process.cwd()))
  const handlers = loaded.flatMap(one => one.handlers)
  const services = loaded.flatMap(one => one.services)

  const agent = createSubContractor({
    ...{ server, token, name, handlers, services, log },
    ...(concurrency && { concurrency }),
    ...(journal !== undefined && { journal }),
  })
  let signals = 0
  const onSignal = (signal: NodeJS.Signals) => {
    signals += 1
    if (signals > 1) process.exit(1)
    log('info', 'signal received', { signal })
    void agent.stop({ graceMs: grace * 1000 })
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  // A plugin's stray promise must not take the other plugins' work with it.
  process.on('unhandledRejection', reason => log('error', 'unhandled rejection', { reason: String(reason) }))

  log('info', 'starting', { version, name, server, modules: handlers.map(({ module }) => module).join(',') })
  agent.start()
  return agent.stopped.then(
    () => 0,
    () => 1,
  )
}

function parseServer(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new InvalidArgumentError('It must be an http:// or https:// URL.')
  if (url.username || url.password) throw new InvalidArgumentError('It must not hold a user name or password.')
  return value
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value]
}

function limits(value: string, previous: Record<string, number> = {}): Record<string, number> {
  const match = /^([a-z][a-z0-9_]*)=([1-9][0-9]*)$/.exec(value)
  if (!match?.[1]) throw new InvalidArgumentError('It must be MODULE=NUMBER, for instance process=4.')
  return { ...previous, [match[1]]: Number(match[2]) }
}

function parseSeconds(value: string): number {
  const seconds = Number(value)
  if (!Number.isFinite(seconds) || seconds < 0 || value.trim() === '')
    throw new InvalidArgumentError('It must be a number of seconds.')
  return seconds
}
