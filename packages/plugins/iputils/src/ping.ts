import { host } from '@contractor/driver'
import { defineTaskFunction } from '@contractor/plugin'
import { z } from 'zod'
import { tasks } from './tasks.ts'

export const ping = defineTaskFunction({
  description: 'How many of `count` ICMP echo requests, one a second, a host answers: of a hundred, from 0 to 100.',
  args: z.object({ target: host, count: z.number().int().min(1).max(100).default(5) }),
  task: tasks.ping,
  params: args => args,
  result: z.number(),
  value: reply => reply.percent,
  message: params => `Pinging ${params.target}`,
  idempotent: true,
})
