import { type FunctionContext, json, type TaskDefinition } from '@contractor/plugin'
import { z } from 'zod'
import { createDeviceFunctions } from './device-function.ts'

/** Snapshots of a machine, the same for every hypervisor that has them. They are known by their names, which are unique to a machine. */

const snapshotName = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,39}$/, 'must be letters, digits, _ and -, beginning with a letter, 40 at the most')

const snapshotList = z.array(z.object({ name: z.string(), details: z.record(z.string(), json) }))

export function snapshotTasks<Shape extends z.ZodRawShape, Rules extends object>(
  machine: z.ZodObject<Shape>,
  rules: Rules,
) {
  const params = machine.extend({ snapshot: snapshotName })
  const slow = { ...rules, timeoutMs: 3_600_000 }
  return {
    snapshot_create: {
      ...slow,
      description: 'Takes a snapshot; one of that name stays as it is',
      params,
      result: z.object({ created: z.boolean() }),
    },
    snapshot_list: { ...rules, params: machine, result: z.object({ snapshots: snapshotList }) },
    snapshot_restore: { ...slow, description: 'Goes back to a snapshot', params, result: z.object({}) },
    snapshot_delete: {
      ...slow,
      description: 'Removes a snapshot; gone already, nothing happens',
      params,
      result: z.object({ deleted: z.boolean() }),
    },
  }
}

type SnapshotTask = 'snapshot_create' | 'snapshot_list' | 'snapshot_restore' | 'snapshot_delete'

export function defineSnapshots<Context extends FunctionContext<unknown, unknown>>(
  // biome-ignore lint/suspicious/noExplicitAny: what leads to a machine is known to its driver alone
  tasks: Record<SnapshotTask, TaskDefinition<any, any>>,
  connection: (context: Context) => object,
) {
  const ask = createDeviceFunctions(connection)
  const args = z.object({ snapshot: snapshotName })
  return {
    snapshot_create: ask({
      description: 'Takes a snapshot. One of that name is there already: nothing happens.',
      ...{ args, task: tasks.snapshot_create, result: z.boolean(), message: 'Taking a snapshot' },
      value: reply => reply.created,
    }),
    snapshot_list: ask({
      description: 'Reads the names of its snapshots, oldest first.',
      ...{
        args: z.object({}),
        task: tasks.snapshot_list,
        result: z.array(z.string()),
        message: 'Reading its snapshots',
      },
      value: reply => snapshotList.parse(reply.snapshots).map(one => one.name),
    }),
    snapshot_restore: ask({
      description: 'Goes back to a snapshot; the machine has to be off.',
      ...{ args, task: tasks.snapshot_restore, result: z.null(), message: 'Going back to a snapshot' },
      value: () => null,
    }),
    snapshot_delete: ask({
      description: 'Removes a snapshot. Gone already: nothing happens.',
      ...{ args, task: tasks.snapshot_delete, result: z.boolean(), message: 'Removing a snapshot' },
      value: reply => reply.deleted,
    }),
  }
}
