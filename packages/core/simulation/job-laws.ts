import { honedAtOnce, wrongAnswer } from './anvil.ts'
import type { EngineSlot } from './engine-slot.ts'
import { Violation } from './laws.ts'
import type { World } from './world.ts'

/** A Job as its row has it. */
export interface JobState {
  id: number
  target: string
  action: string
  state: string
  outcome: string | null
  message: string
  run: number
  reason: string | null
  isUndoing: boolean
  /** It waits for its machine's report. */
  isListening: boolean
}

/** All Jobs with the runs of their scripts, the oldest first. */
export async function listJobs({ database }: World): Promise<JobState[]> {
  const rows = await database.client.unsafe<(Omit<JobState, 'run' | 'id'> & { id: string; source: string })[]>(
    `select job.id, coalesce(job.foundation, structure.hostname, 'd' || job.dependency) as target, job.action, job.state::text, job.outcome::text,
       job.message, job.reason, program.source, job.undoing is not null as "isUndoing",
       job.state = 'queued' and job.undoing is null and coalesce(job.vm #>> '{pending,module}' = 'signaling', false) as "isListening"
     from contractor.job left join contractor.structure on structure.id = job.structure
     join contractor.program on program.id = job.program_id order by job.id`,
  )
  return rows.map(({ source, ...row }) => ({
    ...row,
    id: Number(row.id),
    run: Number(/^# run (\d+)/.exec(source)?.[1] ?? 0),
  }))
}

/** What is true of Jobs at every moment. */
export function checkJobs(world: World, jobs: readonly JobState[]): void {
  const live = jobs.filter(job => job.outcome === null)
  for (const job of live) {
    const others = live.filter(other => other.target === job.target)
    if (others.length > 1) throw new Violation('a target has one live Job', others.map(describeJob).join('; '))
    if (job.message.includes('could not advance')) throw new Violation('every Job can be advanced', describeJob(job))
    if (job.message.includes(wrongAnswer))
      throw new Violation('an answer belongs to the request that was asked', describeJob(job))
    if (job.state !== 'queued' && !job.reason?.trim() && job.state !== 'waiting')
      throw new Violation('a Job that stands still says why', describeJob(job))
    const run = world.runs.get(job.run)
    if (run?.target !== job.target || run.action !== job.action)
      throw new Violation('a Job runs the script that was there when it was ordered', describeJob(job))
  }
}

/** What is true of Jobs when everything has come to rest. */
export async function checkEnds(world: World, jobs: readonly JobState[]): Promise<void> {
  const events = await listEvents(world)
  for (const job of jobs) {
    const own = events.filter(event => event.job === job.id)
    checkEvents(
      job,
      own.map(event => event.type),
    )
    if (job.outcome === null && job.state !== 'waiting')
      throw new Violation('every Job comes to its end', describeJob(job))
    if (job.outcome === null && !job.reason?.startsWith('Waiting '))
      throw new Violation('a Job that waits says for what', describeJob(job))
    const count = (type: string) => own.filter(event => event.type === type).length
    if (job.outcome === 'completed') checkSteps(world, job, count('job.reset'))
    if (job.outcome === 'undone' && !count('job.skipped')) checkUndone(world, job)
  }
  checkTargets(jobs, events, await listTargets(world))
}

/** No step is lost, and none is had more often than the script and the operator had it. */
function checkSteps({ runs, ledger }: World, job: JobState, resets: number): void {
  const { script } = runs.get(job.run) ?? {}
  if (!script) throw new Violation('a Job runs the script that was there when it was ordered', describeJob(job))
  if (script.fatal) throw new Violation('what ends in a fatal error does not complete', describeJob(job))
  let extra = 0
  const effects = ledger.effects().filter(one => one.step.startsWith(`r${job.run}s`) && one.task !== 'release')
  for (const [step, wanted] of script.steps) {
    const calls = new Set(effects.filter(effect => effect.step === step).map(effect => effect.callId)).size
    const detail = `${step} of Job ${job.id} was done in ${calls} calls and not in ${wanted}`
    if (calls < wanted) throw new Violation('no step is lost', detail)
    extra += Math.max(0, calls - wanted)
    if (extra > resets) throw new Violation('no step is done again but after a reset', `${detail}, ${resets} resets`)
  }
}

/** Of what an undone Job did, and what can be taken back, the last that happened to it is that it was. */
function checkUndone({ ledger }: World, job: JobState): void {
  const last = new Map<string, string>()
  for (const { step, callId, task } of ledger.effects())
    if (step.startsWith(`r${job.run}s`)) last.set(callId.replace(/-back$/, ''), task)
  for (const [callId, task] of last)
    if (task === 'grip') throw new Violation('what is undone was taken back', `${callId} of ${describeJob(job)}`)
}

/** From which states an event may come, and which state it leaves. */
const transitions: Readonly<Record<string, { from: readonly string[]; to: string }>> = {
  'job.created': { from: [''], to: 'waiting' },
  'job.waiting': { from: ['waiting'], to: 'waiting' },
  'job.started': { from: ['waiting', 'queued'], to: 'queued' },
  'job.progress': { from: ['queued'], to: 'queued' },
  'job.paused': { from: ['queued'], to: 'paused' },
  'job.resumed': { from: ['paused'], to: 'queued' },
  'job.error': { from: ['queued', 'paused'], to: 'error' },
  'job.reset': { from: ['error'], to: 'queued' },
  'job.aborted': { from: ['queued'], to: 'aborted' },
  'job.completed': { from: ['queued'], to: 'done' },
  'job.rolled-back': { from: ['error'], to: 'queued' },
  'job.undoing': { from: ['paused', 'error', 'aborted'], to: 'queued' },
  'job.skipped': { from: ['error', 'paused'], to: 'queued' },
  'job.undone': { from: ['queued'], to: 'done' },
  'job.cancelled': { from: ['waiting', 'queued', 'paused', 'error', 'aborted'], to: 'done' },
}

function checkEvents(job: JobState, types: readonly string[]): void {
  const law = 'the events of a Job tell its story in order'
  const story = `${types.join(', ')}; ${describeJob(job)}`
  let state = ''
  for (const type of types) {
    const transition = transitions[type]
    if (!transition) continue
    if (!transition.from.includes(state)) throw new Violation(law, `${type} when it was '${state}': ${story}`)
    state = transition.to
  }
  if (state !== job.state) throw new Violation(law, `they end in '${state}': ${story}`)
}

interface EventRow {
  job: number
  type: string
  target: string
}

/** In the order in which watchers see them: they have their places. */
async function listEvents({ database }: World): Promise<EventRow[]> {
  const rows = await database.client.unsafe<{ job: string; type: string; target: string }[]>(
    `select event.job, event.type, coalesce(event.foundation, structure.hostname) as target
     from contractor.event left join contractor.structure on structure.id = event.structure order by event.place, event.id`,
  )
  return rows.map(row => ({ ...row, job: Number(row.job) }))
}

async function listTargets({ database }: World): Promise<Map<string, string>> {
  const rows = await database.client.unsafe<{ name: string; state: string }[]>(
    `select locator as name, state::text from contractor.foundation
     union all select hostname, state::text from contractor.structure`,
  )
  return new Map(rows.map(row => [row.name, row.state]))
}

/** Each target is what the last that was told of it says. */
function checkTargets(
  jobs: readonly JobState[],
  events: readonly EventRow[],
  targets: ReadonlyMap<string, string>,
): void {
  for (const [name, state] of targets) {
    const told = events.filter(event => event.target === name).map(event => event.type)
    const changes = told.filter(type => /^(foundation|structure)\.(built|destroyed|located)$/.test(type))
    const last = changes.at(-1)?.split('.')[1]
    if (last === undefined) continue
    const expected = last === 'destroyed' ? 'planned' : last
    // What stands on a destroyed Foundation goes with it, without an event of its own.
    const isBelowGone =
      last === 'built' && state === 'planned' && name.startsWith('s') && targets.get(`f${name.slice(1)}`) !== 'built'
    if (state !== expected && !isBelowGone)
      throw new Violation('a target is what it was made', `${name} is ${state} after ${told.join(', ')}`)
    const completed = jobs.filter(
      job => job.target === name && job.outcome === 'completed' && job.action !== 'tune',
    ).length
    const made = changes.filter(type => type.endsWith('built') || type.endsWith('destroyed')).length
    if (made < completed && !name.startsWith('d'))
      throw new Violation(
        'a target is what it was made',
        `${name} completed ${completed} Jobs and changed ${made} times`,
      )
  }
}

export const describeJob = (job: JobState) =>
  `Job ${job.id} (${job.action} of ${job.target}, run ${job.run}) is ${job.state}${job.outcome ? `, ${job.outcome}` : ''}: '${job.message}', since '${job.reason}'`

/** What is true of Tasks at every moment. */
export async function checkTasks({ database: { client } }: World): Promise<void> {
  const [stray] = await client.unsafe<{ id: string; site: string }[]>(
    `select task.id, task.site from contractor.task join contractor.job on job.id = task.job
     left join contractor.dependency on dependency.id = job.dependency
     left join contractor.structure on structure.id = coalesce(job.structure, dependency.script_structure)
     join contractor.foundation on foundation.locator = coalesce(job.foundation, structure.foundation)
     where task.claim_token is null and task.site <> foundation.site`,
  )
  if (stray) throw new Violation('a Task is where its Foundation is', `Task ${stray.id} waits in ${stray.site}`)
  const honed = await client.unsafe<{ id: string }[]>(
    `select id::text from contractor.task where limit_key is not null and has_turn order by id`,
  )
  if (honed.length > honedAtOnce)
    throw new Violation(
      'a limit holds',
      `Tasks ${honed.map(one => one.id).join(', ')} may be at once at what takes ${honedAtOnce}`,
    )
}

/** Claims that are held at this moment, and those of them that hold by the server's own reckoning and are not answered. */
export async function listClaims({ database: { client }, clock }: World): Promise<{ all: string[]; valid: string[] }> {
  const rows = await client.unsafe<{ claim: string; valid: boolean }[]>(
    `select claim_token::text as claim, lease_until > '${clock.date.toISOString()}' and not exists (
       select from contractor.claim_word word where word.task = task.id and word.arrival is not null) as valid from contractor.task
     where claim_token is not null order by id`,
  )
  const claims = (chosen: typeof rows) => chosen.map(row => row.claim)
  return { all: claims(rows), valid: claims(rows.filter(row => row.valid) as typeof rows) }
}

/** A Job that could start has been started. */
export async function checkStarts(engine: EngineSlot, jobs: readonly JobState[]): Promise<void> {
  for (const job of jobs.filter(one => one.state === 'waiting')) {
    const { because } = await engine.contractor.jobs.explain(job.id)
    if (because.some(one => one.code === 'about-to-start'))
      throw new Violation('a Job that may start is started', describeJob(job))
  }
}
