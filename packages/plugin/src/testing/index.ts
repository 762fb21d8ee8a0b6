/** For tests of plugins. */

export type { FunctionContextOptions } from './function-context.ts'
export { createFunctionContext } from './function-context.ts'
export { createHandlerContext } from './handler-context.ts'
export type { PluginLaw, PluginLawOptions } from './plugin-laws.ts'
export { pluginLaws } from './plugin-laws.ts'
