import { readFileSync } from 'node:fs'
import { createClient, each } from '@contractor/client'
import { ContractorError, type Method, type Noun, nouns } from '@contractor/contract'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { z } from 'zod'
import { type Form, formOf, readValue, shapeOf } from './option-form.ts'
import { printItems, printObject } from './print.ts'

/** Of each command that asks a server. */
interface Common {
  server: string
  tokenFile?: string
  json?: boolean
  all?: boolean
  from?: string
  ifVersion?: number
}

/**
 * A command for each method of each noun: `contractor structures list --site lab`. It asks a server over its API, as any
 * other client does: a database that a server has open needs no second process.
 */
export function addNounCommands(program: Command): void {
  for (const noun of Object.values(nouns) as Noun[]) {
    const group =
      program.commands.find(one => one.name() === noun.path) ??
      program.command(noun.path).description(`${noun.name}: ask a server, or have it do something`)
    for (const [name, method] of Object.entries(noun.methods)) addMethod(group, noun, name, method)
  }
}

function addMethod(group: Command, noun: Noun, name: string, method: Method): void {
  const command = group.command(kebab(name)).description(method.summary)
  if (method.on === 'one') command.argument(`<${noun.key?.name}>`)
  for (const param of Object.keys(method.params ?? {})) command.argument(`<${param}>`)
  const schema = method.body ?? method.query
  const forms = Object.entries(schema ? shapeOf(schema) : {}).map(([field, type]) => formOf(field, type))
  for (const form of forms) command.addOption(optionOf(form))
  if (method.body)
    command.option('--from <file>', 'the whole of it as JSON, from a file or from - ; options are laid over it')
  if (isList(method)) command.option('--all', 'all pages')
  if (method.ifVersion) command.option('--if-version <number>', 'only if it is still of this version', readVersion)
  command
    .option('--json', 'JSON instead of text')
    .option('--server <url>', 'where the server is', process.env.CONTRACTOR_URL ?? 'http://127.0.0.1:8080')
    .option('--token-file <file>', 'a file with a token, instead of CONTRACTOR_TOKEN')
    .action(async (...given: unknown[]) => {
      const options = given.at(-2) as Common & Record<string, unknown>
      const args = given.slice(0, -2) as string[]
      await run(noun, name, method, forms, args, options)
    })
}

function readVersion(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('A whole number is needed.')
  return Number(text)
}

const isList = (method: Method) => method.query !== undefined && 'limit' in shapeOf(method.query)

function optionOf(form: Form): Option {
  const option = new Option(`--${form.flag} <${form.placeholder}>`, form.description)
  if (form.kind === 'texts') option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text])
  if (form.choices) option.choices(form.choices)
  return option
}

async function run(
  noun: Noun,
  name: string,
  method: Method,
  forms: readonly Form[],
  args: readonly string[],
  options: Common & Record<string, unknown>,
): Promise<void> {
  const client = createClient({ url: options.server, token: readToken(options.tokenFile) })
  const part = noun.part.split('.').reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], client)
  const call = (part as Record<string, (...given: unknown[]) => Promise<unknown>>)[name]
  if (!call) throw new Error(`The client has no ${noun.part}.${name}`)
  const input = readInput(forms, options)
  const more = options.ifVersion === undefined ? {} : { ifVersion: options.ifVersion }
  const rest = [...args]
  const key = method.on === 'one' ? [noun.key && asKey(noun.key.schema, rest.shift() ?? '')] : []
  const params = Object.keys(method.params ?? {}).map(param => [param, rest.shift()] as const)
  const given = givenOf(method, input, Object.fromEntries(params))
  const isAll = options.all && isList(method)
  const result = isAll
    ? { items: await collect(each(call.bind(undefined, ...key) as never, input)) }
    : await call(...key, ...given, method.gives === 'options' ? { ...input, ...more } : more)
  print(result, options.json ?? false)
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** What the client is called with between the key and the options. */
function givenOf(method: Method, input: Record<string, unknown>, params: Record<string, unknown>): unknown[] {
  if (method.gives === 'options') return []
  if (method.gives === 'whole') return [{ ...params, ...input }]
  const own = Object.values(params)
  if (method.gives !== 'input') return [...own, input[method.gives[0] as string]]
  return method.body || method.query ? [...own, input] : own
}

const asKey = (schema: z.ZodType, text: string): string | number => (schema.def.type === 'number' ? Number(text) : text)

function readInput(forms: readonly Form[], options: Common & Record<string, unknown>): Record<string, unknown> {
  const input: Record<string, unknown> = options.from === undefined ? {} : readJson(options.from)
  for (const form of forms) {
    const written = options[form.option]
    if (written !== undefined) input[form.field] = readValue(form, written as string | string[])
  }
  return input
}

function readJson(file: string): Record<string, unknown> {
  const text = readFileSync(file === '-' ? 0 : file, 'utf8')
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Told below, as what is JSON and no map.
  }
  throw new ContractorError('VALIDATION_FAILED', `${file === '-' ? 'Standard input' : file} is no JSON map`, {
    issues: [{ path: '', message: 'must be a JSON map' }],
  })
}

function readToken(file: string | undefined): string {
  const token = file === undefined ? process.env.CONTRACTOR_TOKEN : readFileSync(file, 'utf8').trim()
  if (token) return token
  throw new ContractorError(
    'UNAUTHENTICATED',
    'A token is needed: set CONTRACTOR_TOKEN, or name a file that has one with --token-file',
    {},
  )
}

function print(result: unknown, asJson: boolean): void {
  if (result === undefined) return
  if (asJson) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
  else if (Array.isArray(result)) printItems(result)
  else if (isPage(result)) {
    printItems(result.items)
    if (result.next !== undefined) process.stderr.write(`There are more: --after '${result.next}', or --all\n`)
  } else if (typeof result === 'object' && result !== null) printObject(result as Record<string, unknown>)
  else process.stdout.write(`${String(result)}\n`)
}

const isPage = (result: unknown): result is { items: unknown[]; next?: string } =>
  typeof result === 'object' && result !== null && 'items' in result && Array.isArray(result.items)

const kebab = (name: string) => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
