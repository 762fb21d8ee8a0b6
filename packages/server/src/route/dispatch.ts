import { dhcpData } from '@contractor/contract'
import type { AgentIdentity, Identity } from '@contractor/core'
import {
  attachReply,
  attachRequest,
  claimReply,
  claimRequest,
  claimsReply,
  claimsRequest,
  releaseRequest,
  resultsReply,
  resultsRequest,
  servicesReply,
  servicesRequest,
} from '@contractor/plugin/wire'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { requirePermission } from '../access/authenticate.ts'
import { type App, createApp, jsonBody, type RouteContext, replies } from '../http/environment.ts'

/** What agents ask: for Tasks, to take their answers, and what the DHCP server beside them has to know. */
export function dispatchRoutes({ contractor, closing }: RouteContext): App {
  const { dispatch, dhcp } = contractor
  const asAgent = { tags: ['Dispatch'], middleware: requirePermission(contractor, 'agent') }
  return createApp()
    .openapi(
      createRoute({
        ...asAgent,
        method: 'get',
        path: '/dhcp/{site}',
        operationId: 'dispatch.dhcp',
        request: { params: z.object({ site: z.string() }) },
        ...replies(200, dhcpData, 'What a DHCP server of the Site has to know; 304 for the ETag that the agent has'),
      }),
      async c => {
        const data = await dhcp.forAgent(agent(c.var.identity), c.req.valid('param').site)
        const etag = `"${data.digest}"`
        c.header('ETag', etag)
        // The schema knows the whole reply alone.
        if (c.req.header('if-none-match') === etag) return c.body(null, 304) as never
        return c.json(data, 200)
      },
    )
    .openapi(
      createRoute({
        ...asAgent,
        method: 'post',
        path: '/claim',
        operationId: 'dispatch.claim',
        request: jsonBody(claimRequest),
        ...replies(200, claimReply, 'Tasks for this agent'),
      }),
      async c => {
        const signal = AbortSignal.any([closing, c.req.raw.signal])
        return c.json({ tasks: await dispatch.claim(agent(c.var.identity), c.req.valid('json'), signal) }, 200)
      },
    )
    .openapi(
      createRoute({
        ...asAgent,
        method: 'post',
        path: '/results',
        operationId: 'dispatch.exchange',
        request: jsonBody(resultsRequest),
        ...replies(200, resultsReply, 'Which results were taken, and more Tasks where they were asked for'),
      }),
      async c => {
        const { claim, ...request } = c.req.valid('json')
        const wanted = claim && !closing.aborted ? { ...request, claim } : request
        return c.json(await dispatch.exchange(agent(c.var.identity), wanted, c.req.raw.signal), 200)
      },
    )
    .openapi(
      createRoute({
        ...asAgent,
        method: 'post',
        path: '/renew',
        operationId: 'dispatch.renew',
        request: jsonBody(claimsRequest),
        ...replies(200, claimsReply, 'Which leases go on'),
      }),
      async c => c.json({ claims: await dispatch.renew(agent(c.var.identity), c.req.valid('json').claims) }, 200),
    )
    .openapi(
      createRoute({
        ...asAgent,
        method: 'post',
        path: '/attach',
        operationId: 'dispatch.attach',
        request: jsonBody(attachRequest),
        ...replies(200, attachReply, 'The attachment, once it is whole'),
      }),
      async c => c.json(await dispatch.attach(agent(c.var.identity), c.req.valid('json')), 200),
    )
    .openapi(
      createRoute({
        ...asAgent,
        method: 'post',
        path: '/services',
        operationId: 'dispatch.services',
        request: jsonBody(servicesRequest),
        ...replies(200, servicesReply, 'What the agent is to run all the time'),
      }),
      async c => c.json(await dispatch.services(agent(c.var.identity), c.req.valid('json')), 200),
    )
    .openapi(
      createRoute({
        ...asAgent,
        method: 'post',
        path: '/release',
        operationId: 'dispatch.release',
        request: jsonBody(releaseRequest),
        ...replies(200, claimsReply, 'Which Tasks were taken back'),
      }),
      async c => c.json({ claims: await dispatch.release(agent(c.var.identity), c.req.valid('json').claims) }, 200),
    )
}

/** The route has let nobody else pass. */
const agent = (identity: Identity): AgentIdentity => identity as AgentIdentity & Identity
