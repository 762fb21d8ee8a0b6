import { pollUntil } from '@contractor/plugin'
import { z } from 'zod'
import { recordType, tasks } from './tasks.ts'

const timeout = z.number().min(0).default(60)
const everyMs = 2000

export const httpCheck = pollUntil({
  description:
    'Asks a URL until it answers with that status, and its text has `contains`. Not within the timeout, in seconds: an error that can be reset.',
  args: z.object({
    url: z.string(),
    status: z.number().int().min(100).max(599).default(200),
    contains: z.string().nullable().default(null),
    timeout,
  }),
  task: tasks.http_check,
  params: ({ url, status, contains }) => ({ url, status, contains }),
  result: z.literal(true),
  until: ({ good, seen }) => (good ? { done: true as const } : { waiting: seen }),
  everyMs,
  timeoutMs: given => given.timeout * 1000,
  message: ({ url }) => `Waiting for ${url}`,
})

export const dnsCheck = pollUntil({
  description:
    'Asks for a name until it has records, or just those of `expected`; `server` is the name server that is asked, the agent’s own unless said. Gives them.',
  args: z.object({
    name: z.string(),
    type: recordType.default('A'),
    expected: z.array(z.string()).nullable().default(null),
    server: z.string().nullable().default(null),
    timeout,
  }),
  task: tasks.dns_check,
  params: ({ name, type, server, expected }) => ({ name, type, server, expected }),
  result: z.array(z.string()),
  until({ records, seen }, { expected }) {
    if (!records.length) return { waiting: seen }
    const isExpected = expected === null || expected.toSorted().join('\n') === records.join('\n')
    return isExpected ? { done: records } : { waiting: `it has ${records.join(', ')}` }
  },
  everyMs,
  timeoutMs: given => given.timeout * 1000,
  message: ({ name, type }) => `Waiting for ${type} records of ${name}`,
})
