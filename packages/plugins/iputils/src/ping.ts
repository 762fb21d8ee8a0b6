import { defineTaskFunction } from '@contractor/plugin'
import { z } from 'zod'
import { target, tasks } from './tasks.ts'

export const ping = defineTaskFunction({
  description: 'Whether a host answers at least one of `count` ICMP echo requests, one a second.',
  args: z.object({ target, count: z.number().int().min(1).max(20).default(3) }),
  task: tasks.ping,
  params: args => args,
  result: z.boolean(),
  value: reply => reply.answered,
  message: params => `Pinging ${params.target}`,
  idempotent: true,
})
