/** For agents: a handler run to its end, and what it tells meanwhile. */

export type { Attaching } from './attach-content.ts'
export { attachContent } from './attach-content.ts'
export type { Clock } from './clock.ts'
export { systemClock, wait } from './clock.ts'
export type { Log, LogLevel, RunOptions, TaskEnd } from './run-task.ts'
export { abandonMs, runTask } from './run-task.ts'
export type { TaskReports } from './task-reports.ts'
export { createTaskReports } from './task-reports.ts'
