import { createFunctionContext, pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { handlers } from './handlers/index.ts'
import { processFoundation } from './process-foundation.ts'
import type { ProcessStatus } from './tasks.ts'

const running: ProcessStatus = {
  phase: 'running',
  running: true,
  pid: 42,
  startId: 'call-1',
  restarts: 0,
  exitCode: null,
  signal: null,
  output: '',
  log: '/srv/web01/.contractor/output.log',
}
const ended: ProcessStatus = { ...running, phase: 'ended', running: false, pid: null, exitCode: 3, output: 'bye' }
const failed: ProcessStatus = { ...ended, phase: 'failed', exitCode: null, signal: 'SIGSEGV', output: '' }
const fields = { directory: '/srv/web01' }
const target = { directory: '/srv/web01', owner: 'web01' }

describe('the laws of plugins', () => {
  const laws = pluginLaws(processFoundation, handlers, {
    fields,
    args: {
      write_file: [{ path: 'index.html', content: 'x' }],
      start: [{ command: ['node', 'server.js'] }, { command: ['node'], environment: { PORT: 80 }, port: 80 }],
      stop: [{}, { timeout: 1.5 }],
    },
    replies: {
      prepare: [{ created: true }],
      write_file: [{ changed: true }],
      start: [{ pid: 42 }],
      stop: [{ stopped: true }],
      status: [running, ended, failed, { ...running, startId: 'another' }, { ...running, phase: 'starting' }],
      remove: [{ removed: true }],
    },
    entry: new URL('./index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

const context = createFunctionContext({ foundation: { locator: 'web01', type: 'Process', fields } })

/** A call's first state. */
function begin(name: string, args: object = {}) {
  const definition = processFoundation.functions[name]
  if (!definition) throw new Error(`no function ${name}`)
  return { definition, state: definition.start(definition.args.parse(args), context) }
}

describe('start', () => {
  it('asks with its Foundation’s directory, the call’s id, and numbers as text', () => {
    const { definition, state } = begin('start', { command: ['serve', 8080], environment: { PORT: 8080, A: 'b' } })
    expect(definition.request?.(state)).toEqual({
      function: 'start',
      params: {
        ...target,
        startId: 'call-1',
        command: ['serve', '8080'],
        environment: { PORT: '8080', A: 'b' },
        port: null,
      },
    })
    expect(definition.message?.(state)).toBe('Starting serve')
  })

  it('sets the field pid', () => {
    const { definition, state } = begin('start', { command: ['serve'] })
    const next = definition.receive?.(state, { now: 0, kind: 'result', value: { pid: 42 } })
    expect(definition.outcome(next)).toEqual({ kind: 'done', value: 42, fields: { pid: 42 } })
  })

  it('is not idempotent: when its answer is lost, it looks at the status', () => {
    const { definition, state } = begin('start', { command: ['serve'] })
    expect(definition.idempotent).toBe(false)
    expect(definition.observe?.(state)).toEqual({ function: 'status', params: target })
  })

  it.each<[string, Partial<ProcessStatus>, object]>([
    ['its own process running is done', {}, { kind: 'done', value: 42, fields: { pid: 42 } }],
    ['nothing started is asked for again', { phase: 'none', pid: null, startId: null }, { kind: 'pending' }],
    ['an earlier start is asked for again', { startId: 'call-0' }, { kind: 'pending' }],
    ['its own start under way is joined', { phase: 'starting' }, { kind: 'pending' }],
    ['its own process between two lives is waited for', { phase: 'backoff', pid: null }, { kind: 'pending' }],
    ['a supervisor that was killed is asked for again', { phase: 'lost' }, { kind: 'pending' }],
    [
      'its own process ended is an error',
      ended,
      { kind: 'error', message: 'The process was started, and has ended with exit code 3: bye' },
    ],
    [
      'its own process failed is an error',
      failed,
      { kind: 'error', message: 'The process was started, and has ended with signal SIGSEGV' },
    ],
  ])('observed: %s', (_, status, outcome) => {
    const { definition, state } = begin('start', { command: ['serve'] })
    const next = definition.receive?.(state, { now: 0, kind: 'observed', value: { ...running, ...status } })
    expect(definition.outcome(next)).toEqual(outcome)
  })
})

describe('stop', () => {
  it('takes its timeout in seconds, and clears the field pid', () => {
    const { definition, state } = begin('stop', { timeout: 1.5 })
    expect(definition.request?.(state)).toEqual({ function: 'stop', params: { ...target, timeoutMs: 1500 } })
    const next = definition.receive?.(state, { now: 0, kind: 'result', value: { stopped: true } })
    expect(definition.outcome(next)).toEqual({ kind: 'done', value: true, fields: { pid: undefined } })
  })
})

describe('status', () => {
  it('is a map in the names that scripts write, and corrects the field pid', () => {
    const { definition, state } = begin('status')
    const next = definition.receive?.(state, { now: 0, kind: 'result', value: ended })
    const { startId: _startId, exitCode, ...rest } = ended
    expect(definition.outcome(next)).toEqual({
      kind: 'done',
      value: { ...rest, exit_code: exitCode },
      fields: { pid: undefined },
    })
  })
})

describe('the field directory', () => {
  it.each(['relative', '', '/', '/srv/', '/srv/../etc', '/srv//web', '/srv/./web'])('cannot be %j', directory => {
    expect(processFoundation.fields.safeParse({ directory }).success).toBe(false)
  })
})
