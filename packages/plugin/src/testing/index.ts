/** For tests of plugins. */

export type { PluginLaw, PluginLawOptions } from './plugin-laws.ts'
export { pluginLaws } from './plugin-laws.ts'
