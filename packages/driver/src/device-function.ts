import { defineTaskFunction, type FunctionContext, type TaskDefinition } from '@contractor/plugin'
import type { z } from 'zod'

/** A function of a device that is one Task, and may be repeated. */
export interface DeviceFunctionOptions<
  Args extends z.ZodObject,
  Params extends z.ZodType,
  Reply extends z.ZodType,
  Result extends z.ZodType,
> {
  description: string
  args: Args
  task: TaskDefinition<Params, Reply>
  result: Result
  value(reply: z.output<Reply>): z.input<Result>
  message: string
}

/** For a driver whose functions mostly ask one Task, with what leads to the device and what the script says. */
export function createDeviceFunctions<Context extends FunctionContext<unknown, unknown>>(
  connection: (context: Context) => object,
) {
  return <Args extends z.ZodObject, Params extends z.ZodType, Reply extends z.ZodType, Result extends z.ZodType>({
    message,
    ...options
  }: DeviceFunctionOptions<Args, Params, Reply, Result>) =>
    defineTaskFunction({
      ...options,
      params: (given, context: Context) => ({ ...connection(context), ...given }) as z.input<Params>,
      message: () => message,
      idempotent: true,
    })
}
