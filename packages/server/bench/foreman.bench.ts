import { measureCreate } from './create.ts'
import { measureIdle } from './idle.ts'
import { measureLatency } from './latency.ts'
import { measureMemory } from './memory.ts'
import { measurePolls } from './polls.ts'
import { measureSteps } from './steps.ts'
import { measureUndo } from './undo.ts'
import { measureWatchers } from './watchers.ts'

export const benchmarks = {
  'foreman/steps': measureSteps,
  'foreman/idle': () => measureIdle([0, 1000, 10_000, 100_000], 1_000_000),
  'foreman/latency': measureLatency,
  'foreman/create': measureCreate,
  'foreman/memory': measureMemory,
  'foreman/watchers': () => measureWatchers([0, 1, 100, 1000]),
  'foreman/polls': () => measurePolls([1, 100, 300]),
  'foreman/undo': () => measureUndo([1000, 5000]),
}
