import { measureCreate } from './create.ts'
import { measureIdle } from './idle.ts'
import { measureLatency } from './latency.ts'
import { measureMemory } from './memory.ts'
import { measureSteps } from './steps.ts'

export const benchmarks = {
  'foreman/steps': measureSteps,
  'foreman/idle': measureIdle,
  'foreman/latency': measureLatency,
  'foreman/create': measureCreate,
  'foreman/memory': measureMemory,
}
