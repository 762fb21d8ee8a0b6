import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: './packages/core/src/database/{columns,*schema}.ts',
  out: './packages/core/migrations',
  schemaFilter: ['contractor'],
})
