import type { ModulePlugin } from '@contractor/plugin'
import { dhcpModule } from './dhcp-module.ts'
import { signaling } from './signaling.ts'
import { structureModule } from './structure-module.ts'

/** What scripts can call without any plugin. */
export const ownModules: readonly ModulePlugin[] = [signaling, dhcpModule, structureModule]
