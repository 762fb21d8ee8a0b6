import { adminToken } from './programs.ts'

/** POSTs JSON to the server's API and gives the answer. fetch keeps the connection, as the real clients do. */
export async function post(server: string, path: string, body?: unknown, token = adminToken): Promise<unknown> {
  const response = await fetch(`${server}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${text}`)
  return JSON.parse(text)
}
