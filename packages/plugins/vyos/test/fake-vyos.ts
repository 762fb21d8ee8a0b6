import {
  type FakeAnswer,
  type FakeRequest,
  type FakeServer,
  type Fault,
  startFakeServer,
} from '../../../../test/fake-device.ts'
import type { quirks } from '../src/quirks.ts'

type Quirk = (typeof quirks)[number]['name']
export type Tree = { [name: string]: Tree }

/**
 * A VyOS router: its API takes forms, with a key, and does nothing that its configuration has no place for. A commit is all or
 * nothing, and is held against what services need. It has the quirks that it is told.
 */
export interface FakeVyos extends FakeServer {
  readonly key: string
  /** What runs, and what it starts with; a value is a name without anything below. */
  running: Tree
  saved: Tree
  readonly quirks: Set<Quirk>
  /** The paths of requests that may change something. */
  readonly told: string[]
}

/** Where values may be: `*` is any name. */
const places = [
  'interfaces ethernet * address *',
  'interfaces ethernet * description *',
  'interfaces ethernet * vif * address *',
  'service dhcp-relay server *',
  'service dhcp-relay interface *',
  'service dhcp-relay listen-interface *',
  'service dhcp-relay upstream-interface *',
  'service https listen-address *',
  'system host-name *',
].map(place => place.split(' '))

const fits = (path: readonly string[], isWhole: boolean) =>
  places.some(
    place =>
      (isWhole ? path.length === place.length : path.length <= place.length) &&
      path.every((part, at) => place[at] === '*' || place[at] === part),
  )

const failure = (status: number, error: string): FakeAnswer => ({ status, body: { success: false, error, data: null } })
const success = (data: unknown): FakeAnswer => ({ status: 200, body: { success: true, data, error: null } })

export async function startVyos(): Promise<FakeVyos> {
  const server = await startFakeServer({ answer: request => answer(fake, request) })
  const fake: FakeVyos = {
    ...server,
    ...{ key: 'geheimer-Schlüssel', running: {}, saved: {}, quirks: new Set(), told: [] },
  }
  return fake
}

function answer(fake: FakeVyos, { method, path, headers, text }: FakeRequest): Fault {
  if (!['/retrieve', '/configure', '/config-file'].includes(path)) return { status: 404, body: { detail: 'Not Found' } }
  if (method !== 'POST') return { status: 405, body: { detail: 'Method Not Allowed' } }
  if (headers['content-type'] !== 'application/x-www-form-urlencoded') return failure(422, 'data: field required')
  const { data: given, key, ...others } = Object.fromEntries(new URLSearchParams(text))
  if (key !== fake.key) return failure(401, 'Valid API key is required')
  if (given === undefined || Object.keys(others).length) return failure(400, 'Non-empty data field is required')
  let data: unknown
  try {
    data = JSON.parse(given)
  } catch {
    return failure(400, 'Failed to parse JSON: {e}')
  }
  if (path === '/retrieve') return retrieve(fake, data as { op: string; path: string[] })
  fake.told.push(path)
  if (path === '/config-file') {
    if ((data as { op?: string }).op !== 'save') return failure(400, "'op' is not a defined operation")
    fake.saved = structuredClone(fake.running)
    return success('Saving configuration to /config/config.boot…\nDone')
  }
  return configure(fake, data)
}

export function find(tree: Tree, path: readonly string[]): Tree | undefined {
  return path.reduce<Tree | undefined>((found, part) => found?.[part], tree)
}

function retrieve({ running }: FakeVyos, { op, path }: { op: string; path: string[] }): FakeAnswer {
  if (!Array.isArray(path) || !path.every(part => typeof part === 'string'))
    return failure(400, "'path' must be a list")
  if (!fits(path, false)) return failure(400, `Configuration path: [${path.join(' ')}] is not valid`)
  const found = find(running, path)
  if (op === 'exists') return success(found !== undefined)
  if (op !== 'showConfig') return failure(400, `'${op}' is not a valid operation`)
  if (found === undefined) return failure(400, 'Configuration under specified path is empty\n')
  return success(found)
}

function configure(fake: FakeVyos, data: unknown): Fault {
  if (fake.quirks.has('commit-in-progress'))
    return failure(400, 'Configuration system temporarily locked due to another commit in progress\n')
  const next = structuredClone(fake.running)
  const commands = (Array.isArray(data) ? data : [data]) as { op: string; path: string[] }[]
  for (const { op, path } of commands) {
    if (!Array.isArray(path) || !path.length || !path.every(part => typeof part === 'string' && part))
      return failure(400, `Malformed command "${JSON.stringify({ op, path })}": "path" field must be a list of strings`)
    if (!fits(path, op === 'set'))
      return failure(400, `Configuration path: [${path.join(' ')}] is not valid\nSet failed\n`)
    if (op === 'set') {
      if (fake.quirks.has('exists-already') && find(next, path))
        return failure(400, `Configuration path: [${path.join(' ')}] already exists\n`)
      path.reduce((tree, part) => (tree[part] ??= {}), next)
    } else if (op === 'delete') {
      if (!find(next, path))
        return failure(400, `Nothing to delete (the specified node does not exist)\n\n[[${path.join(' ')}]] failed\n`)
      delete find(next, path.slice(0, -1))?.[path.at(-1) ?? '']
    } else if (op !== 'comment') return failure(400, `'${op}' is not a valid operation`)
  }
  const relay = next.service?.['dhcp-relay']
  if (relay && Object.keys(relay).length) {
    const isOn = relay.interface ?? relay['listen-interface']
    if (!relay.server)
      return failure(
        400,
        '[[service dhcp-relay]] failed\nNo DHCP relay server(s) configured.\nAt least one DHCP relay server required.\nCommit failed\n',
      )
    if (!isOn)
      return failure(400, '[[service dhcp-relay]] failed\nMust set at least one DHCP interface\nCommit failed\n')
  }
  fake.running = next
  return fake.quirks.delete('cuts-itself-off') ? 'cut' : success(null)
}
