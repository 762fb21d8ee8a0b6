import type { FoundationPlugin, ModulePlugin } from '@contractor/plugin'

export const bed: FoundationPlugin
export const press: ModulePlugin
