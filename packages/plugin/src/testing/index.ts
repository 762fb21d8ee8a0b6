/** For tests of plugins. */

export { createHandlerContext } from './handler-context.ts'
export type { PluginLaw, PluginLawOptions } from './plugin-laws.ts'
export { pluginLaws } from './plugin-laws.ts'
