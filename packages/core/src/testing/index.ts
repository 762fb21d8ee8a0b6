/** For tests of plugins and of programs that embed the engine. */

export type { ManualClock } from './manual-clock.ts'
export { createManualClock } from './manual-clock.ts'
export type { PluginLaw, PluginLawOptions } from './plugin-laws.ts'
export { pluginLaws } from './plugin-laws.ts'
