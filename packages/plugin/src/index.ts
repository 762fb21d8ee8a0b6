/** The plugin contract: all that an author of a Foundation driver or a module needs. Imports zod only. */

export type {
  AnyContractorError,
  ContractorErrorOptions,
  ErrorCode,
  ErrorData,
  Json,
  WireError,
} from '@contractor/contract/primitives'
export {
  ContractorError,
  cutText,
  isContractorError,
  isStorable,
  json,
  maskSecrets,
  mendJson,
  mendText,
  parseInput,
  secret,
  secretMask,
  taskFailed,
  toWireError,
  wireError,
} from '@contractor/contract/primitives'
export type { Attachment, AttachmentContent } from './attachment.ts'
export { attachment } from './attachment.ts'
export type {
  AnyFunction,
  ComplexContext,
  FoundationContext,
  FunctionContext,
  FunctionDefinition,
  Outcome,
  Reply,
} from './define-function.ts'
export { defineFunction } from './define-function.ts'
export type { HandlerContext, HandlerModule, Handlers } from './define-handlers.ts'
export { defineHandlers } from './define-handlers.ts'
export type {
  AnyTasks,
  ComplexOptions,
  ComplexPlugin,
  ConfigSource,
  FoundationOptions,
  FoundationPlugin,
  FunctionPlugin,
  ModuleOptions,
  ModulePlugin,
  Plugin,
  ValueContext,
  ValueDefinition,
} from './define-plugin.ts'
export {
  defineComplex,
  defineFoundation,
  defineModule,
  engineModules,
  foundationCommonValues,
} from './define-plugin.ts'
export type { DiscoverDefinition, Discovered, DiscoverScope, ReadDefinition, Seen } from './define-read.ts'
export { defineDiscover, defineRead } from './define-read.ts'
export type { ServiceContext, ServiceOptions, ServicePlugin, ServiceRunner } from './define-service.ts'
export { defineService, defineServiceRunner } from './define-service.ts'
export type {
  RetryPolicy,
  TaskDefinition,
  TaskDefinitions,
  TaskLimit,
  TaskRequest,
  TaskRules,
} from './define-task.ts'
export { defaultTimeoutMs, defineTasks, retryPolicy, taskLimit } from './define-task.ts'
export type { Observation, TaskFunctionOptions } from './define-task-function.ts'
export { defineTaskFunction } from './define-task-function.ts'
export type { Look, PollOptions } from './poll-until.ts'
export { pollUntil } from './poll-until.ts'
