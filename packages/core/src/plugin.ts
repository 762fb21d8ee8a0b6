/** The plugin contract, for programs that have it from here: plugins themselves import `@contractor/plugin`. */
export * from '@contractor/plugin'
