import type { FoundationPlugin, ModulePlugin } from '@contractor/core/plugin'

export const bed: FoundationPlugin
export const press: ModulePlugin
