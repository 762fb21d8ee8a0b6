import { sshConnection } from '@contractor/driver'
import { attachment, defineTasks } from '@contractor/plugin'
import { z } from 'zod'

/** A path on the machine; relative ones begin in the user's home. */
export const remotePath = z
  .string()
  .min(1)
  .max(4000)
  .regex(/^[^\0]+$/)
/** Permissions, in octal. */
export const mode = z.string().regex(/^0?[0-7]{3,4}$/, 'must be permissions in octal, as 0644')

const timeoutMs = z.number().int().min(1).max(86_400_000)

export const tasks = defineTasks({
  execute: {
    description: 'Runs a command by the login shell',
    params: sshConnection.extend({
      command: z.string().min(1).max(1_000_000),
      environment: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()),
      input: z.string().nullable(),
      timeoutMs,
    }),
    /** `signal` ended it, where there is no exit code. Long outputs are cut to their ends, and whole as attachments. */
    result: z.object({
      rc: z.number().int().nullable(),
      signal: z.string().nullable(),
      stdout: z.string(),
      stderr: z.string(),
      all: attachment.nullable(),
    }),
    timeoutMs: params => params.timeoutMs + 60_000,
  },
  put: {
    description: 'Writes a file, whole or not at all; nothing where it is the same already',
    params: sshConnection.extend({
      destination: remotePath,
      /** One of the two: the content itself, or where the agent gets it, by http or https. */
      content: z.string().nullable(),
      source: z.url({ protocol: /^https?$/ }).nullable(),
      /** Of what is to be there, in hexadecimal; null: whatever comes. */
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .nullable(),
      mode: mode.nullable(),
      timeoutMs,
    }),
    result: z.object({ changed: z.boolean(), sha256: z.string(), sizeBytes: z.number().int() }),
    timeoutMs: params => params.timeoutMs + 60_000,
    retry: { attempts: 3, backoffMs: 2000 },
  },
  get: {
    description: 'Reads a file',
    params: sshConnection.extend({ path: remotePath, timeoutMs }),
    /** `content` as UTF-8; cut to its beginning where it is long, and whole as an attachment. */
    result: z.object({
      content: z.string(),
      sha256: z.string(),
      sizeBytes: z.number().int(),
      all: attachment.nullable(),
    }),
    timeoutMs: params => params.timeoutMs + 60_000,
    retry: { attempts: 3, backoffMs: 2000 },
  },
})
