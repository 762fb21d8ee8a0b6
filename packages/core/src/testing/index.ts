/** For tests of programs that embed the engine; the laws of plugins are in `@contractor/plugin/testing`. */

export type { PluginLaw, PluginLawOptions } from '@contractor/plugin/testing'
export { pluginLaws } from '@contractor/plugin/testing'
export type { ManualClock } from './manual-clock.ts'
export { createManualClock } from './manual-clock.ts'
export { createTestContractor, createTestDatabase } from './test-contractor.ts'
