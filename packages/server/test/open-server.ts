import { type Contractor, type ContractorOptions, createContractor } from '@contractor/core'
import { type App, createServer } from '@contractor/server'
import { onTestFinished } from 'vitest'
import { createPostgresDatabase } from '../../../test/databases.ts'
import { gauge, lathe } from '../../core/test/lathe.ts'

export interface TestServer {
  app: App
  contractor: Contractor
  adminToken: string
  /** Sends a request as the admin, or with another token. */
  send(method: string, path: string, body?: unknown, token?: string | null): Promise<{ status: number; body: unknown }>
}

export async function openServer(options: Partial<ContractorOptions> = {}): Promise<TestServer> {
  const database = await createPostgresDatabase()
  onTestFinished(() => database.drop())
  const contractor = await createContractor({
    database: database.option,
    plugins: [lathe, gauge],
    foreman: false,
    ...options,
  })
  onTestFinished(() => contractor.close())
  const app = createServer(contractor)
  const { secret: adminToken } = await contractor.tokens.create({ kind: 'admin', name: 'ann' })
  return {
    app,
    contractor,
    adminToken,
    async send(method, path, body, token = adminToken) {
      const response = await app.request(`/api/v1${path}`, {
        method,
        headers: {
          ...(token !== null && { Authorization: `Bearer ${token}` }),
          ...(body !== undefined && {
            'Content-Type': typeof body === 'string' ? 'application/toml' : 'application/json',
          }),
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, body: text ? JSON.parse(text) : undefined }
    },
  }
}
