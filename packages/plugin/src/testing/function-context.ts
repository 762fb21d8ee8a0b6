import type { Json } from '@contractor/contract/primitives'
import type { FoundationContext, FunctionContext } from '../define-function.ts'

/** Of what a function is told in a test, what matters to it. */
export interface FunctionContextOptions {
  now?: number
  callId?: string
  foundation?: Partial<FoundationContext>
  /** The target's config. */
  config?: Readonly<Record<string, Json>>
}

/** What a function is given in a test, for a Foundation that is located; but for what is said. */
export function createFunctionContext<Context extends FunctionContext<unknown, unknown> = FunctionContext>({
  now = 0,
  callId = 'call-1',
  foundation,
  config = {},
}: FunctionContextOptions = {}): Context {
  const context: FunctionContext = {
    now,
    callId,
    foundation: { locator: 'example', type: 'Example', site: 'lab', state: 'located', fields: {}, ...foundation },
    config: name => (Object.hasOwn(config, name) ? config[name] : undefined),
  }
  // Its fields are those of the type under test: what that is, the caller knows alone.
  return context as unknown as Context
}
