import { asJson, ContractorError, holdsSecret, type Json, maskSecrets, parseInput } from '@contractor/contract'
import type { z } from 'zod'
import { type Config, loadConfigs } from '../../config/load-config.ts'
import type { Values } from '../../database/columns.ts'
import type { Db } from '../../database/database.ts'
import { requirePxe } from '../../definition/pxe/pxe.ts'
import type { CallOptions, Engine } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { TemplateError } from '../../jinja/templates.ts'
import { type FoundHost, findHost, hostQuery } from './find-host.ts'

/**
 * What a machine that boots is told: its config, the boot script for its firmware and the template for its installer. A
 * machine gets its own: secrets, and what proves that it is itself (its config UUID, its Job's cookie), go only to one
 * that asks by its config UUID or from its own address.
 */
export interface Hosts {
  /** NOT_FOUND when no machine is known by that, CONFIG_INVALID when its config cannot be rendered. */
  config(query: z.input<typeof hostQuery>, options?: CallOptions): Promise<Values>
  /** The boot script that its Job has set, rendered; NOT_FOUND as well when none is set. FORBIDDEN: see `pxeTemplate`. */
  bootScript(query: z.input<typeof hostQuery>, options?: CallOptions): Promise<string>
  /** The template that its Job has set. FORBIDDEN when it has a secret in it, and the machine did not show who it is. */
  pxeTemplate(query: z.input<typeof hostQuery>, options?: CallOptions): Promise<string>
}

/** What proves to the engine that a machine is what it says. */
const proofs = ['_structure_config_uuid', '_structure_job_cookie', '_foundation_job_cookie']

export function createHosts(engine: Engine): Hosts {
  const render = async (query: z.input<typeof hostQuery>, part: 'bootScript' | 'template', options: CallOptions) => {
    const db = options.tx ?? engine.db
    const host = await findHost(db, parseInput(hostQuery, query, 'What the machine is known by'))
    const name = targetName(host)
    if (host.pxe === null) {
      throw new ContractorError('NOT_FOUND', `No PXE is set for ${name}: a Job sets one with dhcp.set_pxe`, {
        kind: 'PXE',
        id: name,
      })
    }
    const [pxe, config] = [await requirePxe(db, host.pxe), await loadHostConfig(engine, db, host)]
    const text = renderPart(engine, pxe[part], `PXE '${pxe.name}' for ${name}`, config.values())
    if (!holdsSecret(text)) return text
    if (host.isProven) return String(engine.seals.reveal(text))
    throw new ContractorError(
      'FORBIDDEN',
      `What PXE '${pxe.name}' says to ${name} has a secret in it: the machine must ask by its config UUID, or from its own address`,
      { needs: 'the config UUID' },
    )
  }
  return surface(engine, {
    async config(query, options = {}) {
      const db = options.tx ?? engine.db
      const host = await findHost(db, parseInput(hostQuery, query, 'What the machine is known by'))
      const values = (await loadHostConfig(engine, db, host)).values()
      return host.isProven ? (engine.seals.reveal(values) as Values) : withoutSecrets(values)
    },
    bootScript: async (query, options = {}) => asIpxe(await render(query, 'bootScript', options)),
    pxeTemplate: (query, options = {}) => render(query, 'template', options),
  })
}

async function loadHostConfig(engine: Engine, db: Db, { target, path, isProven }: FoundHost): Promise<Config> {
  const asked = { path, hidden: isProven ? [] : proofs }
  if ('structure' in target) {
    const configs = await loadConfigs(engine, db, { structures: [target.structure], asked })
    return configs.structures.get(target.structure) as Config
  }
  if ('foundation' in target) {
    const configs = await loadConfigs(engine, db, { foundations: [target.foundation], asked })
    return configs.foundations.get(target.foundation) as Config
  }
  return (await loadConfigs(engine, db, { sites: [target.site], asked })).sites.get(target.site) as Config
}

function targetName({ target }: FoundHost): string {
  if ('structure' in target) return `Structure ${target.structure}`
  return 'foundation' in target ? `Foundation '${target.foundation}'` : `a new machine of Site '${target.site}'`
}

/** As Jinja2 does it: a value that is not there is empty. Templates of the T3kton format rely on it. */
function renderPart(engine: Engine, source: string, what: string, values: Values): string {
  try {
    return engine.templates.render(source, values, 'empty')
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    const line = error.line === undefined ? '' : `, line ${error.line}`
    throw new ContractorError(
      'CONFIG_INVALID',
      `${what}${line}: ${error.message}`,
      { target: what, key: '', ...(error.line !== undefined && { line: error.line }) },
      { cause: error },
    )
  }
}

/** iPXE takes nothing for a script that does not begin with its mark. */
const asIpxe = (text: string) => (text.startsWith('#!') ? text : `#!ipxe\n\n${text}`)

function withoutSecrets(values: Values): Values {
  const open = Object.entries(values).filter(([, value]) => maskSecrets(value) === value)
  return asJson(Object.fromEntries(open)) as { [key: string]: Json }
}
