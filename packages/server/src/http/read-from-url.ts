import { nameUnknown } from '@contractor/contract'
import { createRoute, type RouteConfig } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { z } from 'zod'
import { validationFailed } from './problem.ts'

/**
 * Schemas are the engine's, with numbers and truths as they are. In a URL everything is text: it is read here, at the edge,
 * and nowhere else, so that a program that embeds the engine has types, and is told of a text for a number.
 */

/** The route with parameters that are read from text, and refused when it does not know them. */
export function readFromUrl(route: RouteConfig): RouteConfig {
  const { request = {} } = route
  const query = z.strictObject(fromText(shapeOf(request.query)), { error: nameUnknown })
  const params = request.params && z.object(fromText(shapeOf(request.params)))
  return createRoute({ ...route, request: { ...request, query, ...(params && { params }) } } as never)
}

const nothing = z.strictObject({}, { error: nameUnknown })

/** For routes that machines ask, which are described by no schema and say all in the path. */
export const refuseQuery: MiddlewareHandler = async (c, next) => {
  const parsed = nothing.safeParse(c.req.query())
  if (!parsed.success) throw validationFailed(parsed.error)
  await next()
}

const shapeOf = (schema: unknown): z.ZodRawShape => (schema instanceof z.ZodObject ? schema.shape : {})

const fromText = (shape: z.ZodRawShape): z.ZodRawShape =>
  Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, readField(field as z.ZodType)]))

function readField(field: z.ZodType): z.ZodType {
  if (field instanceof z.ZodOptional) return readField(field.unwrap() as z.ZodType).optional()
  if (field instanceof z.ZodDefault) return readField(field.unwrap() as z.ZodType).default(field.def.defaultValue)
  if (field instanceof z.ZodNumber) return z.preprocess(toNumber, field).openapi({ type: 'integer' })
  if (field instanceof z.ZodBoolean) return z.preprocess(toTruth, field).openapi({ type: 'boolean' })
  return field
}

/** Whole numbers in decimal, as a person writes them. What JavaScript would round is no number. */
function toNumber(written: unknown): unknown {
  if (typeof written !== 'string' || !/^-?\d{1,16}$/.test(written)) return written
  return Number.isSafeInteger(Number(written)) ? Number(written) : written
}

const truths = new Map<unknown, boolean>([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])

const toTruth = (written: unknown): unknown => truths.get(written) ?? written
