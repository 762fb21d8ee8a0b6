import { ContractorError, hostQuery } from '@contractor/core'
import type { Context } from 'hono'
import type { z } from 'zod'
import { type App, createApp, type Environment, type RouteContext } from '../http/environment.ts'
import { respondErrorText, validationFailed } from '../http/problem.ts'
import { refuseQuery } from '../http/read-from-url.ts'

type Query = z.input<typeof hostQuery>

/** How a machine says which one it is: the end of the path. */
const ways: Readonly<Record<string, (id: string) => Query>> = {
  c: configUuid => ({ configUuid }),
  s: structure => ({ structure: Number(structure) }),
  f: foundation => ({ foundation }),
  a: address => ({ address }),
}

/**
 * What machines that boot are told, without a token: `/config/config`, `/config/boot_script` and `/config/pxe_template`,
 * each followed by nothing (the machine's own address counts), `c/CONFIG_UUID`, `s/STRUCTURE_ID`, `f/LOCATOR` or
 * `a/ADDRESS`. Firmware and installers add nothing to an address that they are given, so a parameter is a mistake of who
 * wrote that address; where the answer is a text, the refusal is one as well.
 */
export function hostRoutes({ contractor, sourceAddress }: RouteContext): App {
  const { hosts } = contractor
  const app = createApp()
  const texts = createApp()
  texts.onError((error, c) =>
    respondErrorText(c, error, message => contractor.log('error', message, { path: c.req.path })),
  )
  const queryOf = (c: Context<Environment>): Query => {
    const { way, id } = c.req.param() as { way?: string; id?: string }
    if (way === undefined || id === undefined) {
      const ownAddress = sourceAddress(c)
      if (ownAddress !== undefined) return { ownAddress }
      throw new ContractorError('NOT_FOUND', 'The address from which this request comes is not known', {
        kind: 'machine',
        id: '',
      })
    }
    const parsed = hostQuery.safeParse(ways[way]?.(id))
    if (parsed.success) return parsed.data
    throw validationFailed(parsed.error)
  }
  for (const end of ['', '/', '/:way{[csfa]}/:id']) {
    app.get(`/config${end}`, refuseQuery, async c => c.json(await hosts.config(queryOf(c)), 200, unkept))
    texts.get(`/boot_script${end}`, refuseQuery, async c => c.text(await hosts.bootScript(queryOf(c)), 200, unkept))
    texts.get(`/pxe_template${end}`, refuseQuery, async c => c.text(await hosts.pxeTemplate(queryOf(c)), 200, unkept))
  }
  app.route('/', texts)
  return app
}

const unkept = { 'Cache-Control': 'no-store' }
