import { randomBytes, randomUUID } from 'node:crypto'
import type { HandlerModule } from '@contractor/plugin'
import { createTokens, type Tokens } from './access/token/tokens.ts'
import { createDhcp, type Dhcp } from './boot/dhcp/dhcp.ts'
import { createHosts, type Hosts } from './boot/host/hosts.ts'
import { type ConfigChanges, createConfigChanges } from './config/config-changes.ts'
import { createSecrets, type Secrets } from './config/secret/secrets.ts'
import { type Clock, databaseClock } from './database/clock.ts'
import { toDatabaseError } from './database/database-error.ts'
import { type DatabaseOption, openDatabase } from './database/open-database.ts'
import { type Blueprints, createBlueprints } from './definition/blueprint/blueprints.ts'
import { createPxes, type Pxes } from './definition/pxe/pxes.ts'
import { createResources, type Resources } from './definition/resource/resources.ts'
import { createScripts, type Scripts } from './definition/script/scripts.ts'
import { createDns, type Dns } from './dns/publication/dns.ts'
import { createZones, type Zones } from './dns/zones.ts'
import type { Engine, Log } from './engine/engine.ts'
import { openNotifications } from './engine/notifications.ts'
import { createPluginList, type PluginList } from './engine/plugin-list.ts'
import { createPluginRegistry } from './engine/plugin-registry.ts'
import type { AnyPlugins, Plugins } from './engine/plugin-types.ts'
import { createSeals } from './engine/seal.ts'
import { surface } from './engine/surface.ts'
import { createEvents, type Events } from './event/events.ts'
import { type Complexes, createComplexes } from './inventory/complex/complexes.ts'
import { createDependencies, type Dependencies } from './inventory/dependency/dependencies.ts'
import { createFoundations, type Foundations } from './inventory/foundation/foundations.ts'
import { createNotes, type Notes } from './inventory/note/notes.ts'
import { createPlots, type Plots } from './inventory/plot/plots.ts'
import { createSites, type Sites } from './inventory/site/sites.ts'
import { createStructures, type Structures } from './inventory/structure/structures.ts'
import { type Cartographers, createCartographers } from './inventory/survey/cartographers.ts'
import { createTemplates } from './jinja/templates.ts'
import { type AddressBlocks, createAddressBlocks } from './network/address-blocks.ts'
import { type Addresses, createAddresses } from './network/addresses.ts'
import { createInterfaces, type Interfaces } from './network/interfaces.ts'
import { createNetworks, type Networks } from './network/networks.ts'
import { type Attachments, createAttachments } from './run/attachment/attachments.ts'
import { createDispatch, type Dispatch } from './run/dispatch/dispatch.ts'
import { createLocalAgent, type LocalAgent } from './run/dispatch/local-agent.ts'
import { createAdvancer } from './run/foreman/advance-jobs.ts'
import { createForeman, type Foreman } from './run/foreman/foreman.ts'
import { createJobs, type Jobs } from './run/job/jobs.ts'
import { ownModules } from './run/module/own-modules.ts'
import { createServices, type Services } from './run/service/services.ts'
import { createSignals, type Signals } from './run/signal/signals.ts'
import { type Agents, createAgents } from './run/task/agents.ts'
import { createPulse } from './run/task/pulse.ts'

export interface ContractorOptions<P extends Plugins = AnyPlugins> {
  /** `memory:`, `pglite:DIRECTORY`, `postgres://…`, or a PGlite, postgres.js client or drizzle database of the host's. */
  database: DatabaseOption
  plugins?: P
  /**
   * What `./handlers` of plugins export: their Tasks, of all Sites, are done in this process. Agents may do them too.
   */
  handlers?: readonly HandlerModule[]
  /** Where machines reach the server, without a slash at the end; a function where that is known later. */
  url?: string | (() => string)
  /** Where images for network boots are (`__pxe_location`), with a slash at the end; `/pxe/` of the server unless said. */
  pxeUrl?: string
  /**
   * 32 bytes in base64, with which secrets are encrypted. Of several, the first encrypts and all decrypt: that is how a
   * key is changed. Needed as soon as there is a secret to keep; `memory:` makes one for itself.
   */
  secretKey?: string | readonly string[]
  /** How long an agent may be silent about a Task before it is taken from it, in milliseconds; 15,000 unless said. */
  leaseMs?: number
  /** How long Jobs that are over, their history and events are kept, in days; 90 unless said, 0 keeps them for ever. */
  retentionDays?: number
  /** Whether this process runs the Foreman; true unless said. */
  foreman?: boolean
  /** Whether this process says by itself, again and again, that it is there; true unless said. For tests that time all of it. */
  heartbeat?: boolean
  clock?: Clock
  newId?: () => string
  /** Where log lines go; nowhere unless said. */
  log?: Log
}

/** The engine. One for a process; several processes may share a PostgreSQL. */
export interface Contractor<P extends Plugins = AnyPlugins> {
  readonly sites: Sites
  readonly scripts: Scripts
  readonly blueprints: Blueprints
  readonly pxes: Pxes
  readonly resources: Resources
  readonly foundations: Foundations<P>
  readonly structures: Structures
  readonly complexes: Complexes<P>
  /** The machines that have booted and reported themselves. */
  readonly cartographers: Cartographers
  readonly plots: Plots
  readonly notes: Notes
  /** What was changed in config values, by whom and when. */
  readonly configChanges: ConfigChanges
  readonly dependencies: Dependencies
  readonly addressBlocks: AddressBlocks
  readonly networks: Networks
  readonly interfaces: Interfaces
  readonly addresses: Addresses
  readonly dhcp: Dhcp
  readonly zones: Zones
  readonly dns: Dns
  readonly jobs: Jobs
  /** Large outputs of what Jobs have done. */
  readonly attachments: Attachments
  /** What agents run all the time. */
  readonly services: Services
  /** The SubContractors that have asked for work. */
  readonly agents: Agents
  /** What the plugins bring that were passed in. */
  readonly plugins: PluginList
  readonly secrets: Secrets
  readonly hosts: Hosts
  readonly signals: Signals
  readonly events: Events
  readonly tokens: Tokens
  readonly dispatch: Dispatch
  readonly foreman: Foreman
  /** How messages name the database. */
  readonly databaseName: string
  readonly log: Log
  /** Ends what is under way in this process and closes the database, unless that is the host's own. */
  close(): Promise<void>
}

/**
 * Opens the database, brings it up to date, and starts the Foreman.
 * Throws DATABASE_IN_USE, DATABASE_NEWER, DATABASE_UNREACHABLE or PLUGIN_INVALID.
 */
export async function createContractor<const P extends Plugins = Plugins>(
  options: ContractorOptions<P>,
): Promise<Contractor<P>> {
  const plugins = createPluginRegistry(options.plugins ?? [], ownModules)
  const { url = '' } = options
  const log = options.log ?? (() => undefined)
  const database = await openDatabase(options.database)
  const notifications = await openNotifications(database).catch(async error => {
    // What is open would keep the host's process alive, and a directory locked.
    await database.close()
    throw error
  })
  const templates = createTemplates()
  const closing = new AbortController()
  const engine: Engine = {
    database,
    db: database.db,
    clock: options.clock ?? databaseClock,
    plugins,
    notifications,
    templates,
    seals: createSeals(keysOf(options)),
    url: () => (typeof url === 'function' ? url() : url),
    pxeUrl: options.pxeUrl,
    leaseMs: options.leaseMs ?? 15_000,
    retentionDays: options.retentionDays ?? 90,
    newId: options.newId ?? randomUUID,
    log,
    closing: closing.signal,
  }
  const advancer = createAdvancer(engine)
  const pulse = createPulse(engine, randomUUID())
  const foreman = createForeman(engine, advancer, pulse)
  const events = createEvents(engine)
  const jobs = createJobs(engine, events)
  const dispatch = createDispatch(engine, advancer)
  let localAgent: LocalAgent | undefined
  try {
    localAgent = createLocalAgent(engine, dispatch, options.handlers ?? [])
    await pulse.begin()
  } catch (error) {
    await notifications.close()
    await database.close()
    throw toDatabaseError(error, `The database in ${database.name}`)
  }
  if (options.heartbeat ?? true) pulse.start()
  if (options.foreman ?? true) foreman.start()
  localAgent?.start()

  let closed: Promise<void> | undefined
  const close = async () => {
    await localAgent?.stop()
    closing.abort()
    try {
      await foreman.stop()
      await pulse.stop().catch(() => undefined)
      await notifications.close()
    } finally {
      // Also when the database is gone, and cannot be told that nobody listens any more.
      await database.close()
      templates.close()
    }
  }
  return {
    sites: createSites(engine),
    scripts: createScripts(engine),
    blueprints: createBlueprints(engine),
    pxes: createPxes(engine),
    resources: createResources(engine),
    // What they do is the same for all plugins; what the compiler knows of it is not.
    foundations: createFoundations(engine, jobs) as unknown as Foundations<P>,
    structures: createStructures(engine, jobs),
    complexes: createComplexes(engine) as unknown as Complexes<P>,
    cartographers: createCartographers(engine),
    plots: createPlots(engine),
    notes: createNotes(engine),
    configChanges: createConfigChanges(engine),
    dependencies: createDependencies(engine, jobs),
    addressBlocks: createAddressBlocks(engine),
    networks: createNetworks(engine),
    interfaces: createInterfaces(engine),
    addresses: createAddresses(engine),
    dhcp: createDhcp(engine),
    zones: createZones(engine),
    dns: createDns(engine),
    jobs,
    attachments: createAttachments(engine),
    services: createServices(engine),
    agents: createAgents(engine),
    plugins: createPluginList(engine),
    secrets: createSecrets(engine),
    hosts: createHosts(engine),
    signals: createSignals(engine),
    events,
    tokens: createTokens(engine),
    dispatch,
    foreman: surface(engine, foreman),
    databaseName: database.name,
    log,
    close() {
      closed ??= close()
      return closed
    },
  }
}

/** What is in memory alone needs no key that outlives it. */
function keysOf({ secretKey, database }: ContractorOptions): readonly string[] {
  if (secretKey === undefined) return database === 'memory:' ? [randomBytes(32).toString('base64')] : []
  return typeof secretKey === 'string' ? [secretKey] : secretKey
}
