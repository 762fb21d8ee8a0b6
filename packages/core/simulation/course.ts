import type { Verb } from '@contractor/core'
import { createAgent, fairWeather, type SimulatedAgent, type Weather } from './agent.ts'
import { type EngineSlot, leaseMs, make, type Request } from './engine-slot.ts'
import type { Fault, FaultKind } from './fault.ts'
import {
  checkEnds,
  checkJobs,
  checkStarts,
  checkTasks,
  describeJob,
  type JobState,
  listClaims,
  listJobs,
} from './job-laws.ts'
import { Violation } from './laws.ts'
import type { Sabotage } from './sabotage.ts'
import { createStrangers, type Strangers } from './strangers.ts'
import { createTargets, order, type SimulatedTarget } from './targets.ts'
import type { World } from './world.ts'

/**
 * What happens in one run. First a stormy part, in which everything that may go wrong does so at random; then a calm
 * one, in which engines, agents and the operator do what they should, and at whose end every Job has come to its own.
 */
export async function playCourse(
  world: World,
  engines: readonly EngineSlot[],
  sabotage: Sabotage | undefined,
): Promise<void> {
  const { random } = world
  const [first] = engines
  if (!first) throw new Error('A run needs an engine')
  const targets = await createTargets(world)
  const agents = Array.from({ length: random.int(1, 3) }, (_, at) => createAgent(`agent${at}`, world))
  const strangers = createStrangers(world)
  const course: Course = { world, engines, targets, agents, strangers, sabotage, jobs: [] }
  for (let left = random.int(1, targets.length); left > 0; left--) await perform(course, [order(world, first, targets)])
  try {
    for (let left = random.int(10, 45); left > 0; left--) await storm(course)
  } finally {
    await strangers.endAll()
  }
  world.calm = true
  world.trace('calm')
  await calm(course)
  const jobs = await listJobs(world)
  await checkStarts(first, jobs)
  await checkEnds(world, jobs)
}

interface Course {
  world: World
  engines: readonly EngineSlot[]
  targets: readonly SimulatedTarget[]
  agents: readonly SimulatedAgent[]
  strangers: Strangers
  sabotage: Sabotage | undefined
  /** As they were when somebody last looked. */
  jobs: JobState[]
}

type Asking = 'run' | 'claim' | 'answer' | 'old' | 'renew' | 'release' | 'verb' | 'order' | 'signal' | 'move'
type Doing = 'work' | 'die' | 'clock' | 'together' | 'stranger' | 'absence'

const asking: Record<Asking, number> = {
  run: 16,
  claim: 12,
  answer: 14,
  old: 3,
  renew: 3,
  release: 3,
  verb: 6,
  order: 5,
  signal: 3,
  move: 0.7,
}
const doing: Record<Asking | Doing, number> = {
  ...asking,
  work: 16,
  die: 1.5,
  clock: 9,
  together: 7,
  stranger: 3,
  absence: 0.6,
}

async function storm(course: Course): Promise<void> {
  const { world, agents } = course
  const { random } = world
  const what = random.weighted(doing)
  switch (what) {
    case 'work': {
      const idle = agents.filter(agent => agent.counts().idle)
      if (idle.length) random.pick(idle).work()
      return
    }
    case 'die':
      world.count('agents killed')
      random.pick(agents).die()
      return
    case 'clock':
      return turnClock(world)
    case 'stranger':
      return meetStranger(course)
    case 'absence':
      return beAway(course)
    case 'together': {
      // Who waits for a stranger does so for a moment of real time, in which others would be let through or not.
      if (course.strangers.count()) return
      const requests: Request[] = []
      const same = random.chance(0.4) ? random.weighted(asking) : undefined
      for (let left = random.int(2, 3); left > 0; left--) {
        const request = await ask(course, same ?? random.weighted(asking))
        if (request) requests.push(request)
      }
      if (requests.length > 1) world.count('requests at once')
      return perform(course, requests)
    }
    default: {
      const request = await ask(course, what)
      return request && perform(course, [request])
    }
  }
}

function turnClock({ random, clock, trace }: World): void {
  const ms = {
    small: random.int(100, 900),
    middling: random.int(1000, 5000),
    lease: leaseMs + random.int(1, 2000),
    large: 3_600_000,
  }[random.weighted({ small: 4, middling: 4, lease: 3, large: 0.3 })]
  clock.advance(ms)
  trace(`  the clock goes on by ${ms} ms`)
}

async function meetStranger({ world, engines, strangers, targets, ...course }: Course): Promise<void> {
  const { random } = world
  if (strangers.count() === 2 || (strangers.count() && random.chance(0.5))) return strangers.end()
  return strangers.open(random.pick(engines), await look({ world, engines, strangers, targets, ...course }), targets)
}

/** All servers are away for longer than a lease. Whoever works on meanwhile is no less to be believed when they are back. */
async function beAway(course: Course): Promise<void> {
  const { world, engines, strangers, agents } = course
  if (strangers.count()) return
  world.count('absences')
  const { valid: claims } = await listClaims(world)
  for (const engine of engines) await engine.stop()
  const ms = leaseMs + world.random.int(1, 60_000)
  world.clock.advance(ms)
  world.trace(`  all servers were away for ${ms} ms`)
  for (const engine of engines) await engine.start()
  const [first] = engines
  if (first) await perform(course, [runDue(first)])
  const left = new Set((await listClaims(world)).all)
  const taken = claims.filter(claim => !left.has(claim))
  if (taken.length)
    throw new Violation('the absence of all servers is nobody’s silence', `${taken.length} claims were taken`)
  for (const agent of agents)
    if (agent.counts().idle + agent.counts().answered)
      await perform(course, [agent.renew(first as EngineSlot, fairWeather)])
}

async function perform({ world, sabotage }: Course, requests: readonly Request[]): Promise<void> {
  if (!requests.length) return
  if (requests.length > 1) world.trace('  at once:')
  await make(world, requests)
  await sabotage?.after?.(world.database.client)
  world.laws.record(world.exchanges.splice(0))
}

/** A request to one of the engines; nothing where nobody has anything to ask. */
async function ask(course: Course, what: Asking): Promise<Request | undefined> {
  const { world, engines, agents } = course
  const { random } = world
  const engine = random.pick(engines)
  const fault = drawFault(world)
  const request = await draw()
  return request && { ...request, ...(fault && { fault }) }

  async function draw(): Promise<Request | undefined> {
    const agent = random.pick(agents)
    const { idle, answered, old } = agent.counts()
    switch (what) {
      case 'run':
        return runDue(engine)
      case 'claim':
        return agent.claim(engine, drawWeather(world), random.int(1, 3))
      case 'answer':
        return answered ? agent.answer(engine, drawWeather(world), random.int(0, 2)) : undefined
      case 'old':
        return old ? agent.repeatOld(engine) : undefined
      case 'renew':
        return idle + answered ? agent.renew(engine, drawWeather(world)) : undefined
      case 'release':
        return idle ? agent.release(engine, drawWeather(world)) : undefined
      case 'order':
        return order(world, engine, course.targets)
      case 'move':
        return move(world, engine)
      case 'signal': {
        const job = await pickJob(course)
        return job && signal(world, engine, job, random.weighted({ complete: 5, alert: 2, message: 1 }))
      }
      case 'verb': {
        const job = await pickJob(course)
        return job && apply(engine, job, random.chance(0.3) ? random.pick(allVerbs) : drawVerb(world, job))
      }
    }
  }
}

const runDue = (engine: EngineSlot): Request => ({
  label: 'runs what is due',
  engine,
  run: async () => {
    await engine.contractor.foreman.runDue()
  },
})

const apply = (engine: EngineSlot, job: JobState, verb: Verb): Request => ({
  label: `${verb}s Job ${job.id}`,
  engine,
  mayBeLocked: true,
  run: async () => {
    await engine.contractor.jobs.apply(job.id, verb, { by: 'operator' })
  },
})

const allVerbs: readonly Verb[] = ['pause', 'resume', 'reset', 'rollback', 'undo', 'skip']

/** What the machine of a Job says. */
const signal = (world: World, engine: EngineSlot, job: JobState, what: 'complete' | 'alert' | 'message'): Request => ({
  label: `signals ${what} to Job ${job.id}`,
  engine,
  mayBeLocked: true,
  async run() {
    const [row] = await world.database.client.unsafe<{ cookie: string }[]>(
      `select cookie::text from contractor.job where id = ${job.id}`,
    )
    const { signals } = engine.contractor
    if (what === 'complete') await signals.complete(job.id, row?.cookie ?? '')
    else await signals[what](job.id, row?.cookie ?? '', 'smoke')
  },
})

const move = ({ random }: World, engine: EngineSlot): Request => {
  const [locator, site] = [random.pick(['f0', 'f1']), random.pick(['lab', 'annex'])]
  return {
    label: `moves ${locator} to ${site}`,
    engine,
    mayBeLocked: true,
    run: async () => {
      await engine.contractor.foundations.update(locator, { site })
    },
  }
}

async function pickJob(course: Course): Promise<JobState | undefined> {
  course.jobs = await look(course)
  const live = course.jobs.filter(job => job.outcome === null)
  return live.length ? course.world.random.pick(live) : undefined
}

async function look({ world }: Course): Promise<JobState[]> {
  const jobs = await listJobs(world)
  checkJobs(world, jobs)
  await checkTasks(world)
  return jobs
}

function drawVerb({ random }: World, job: JobState): Verb {
  if (random.chance(0.08)) return 'cancel'
  if (job.state === 'error' && random.chance(0.3)) return random.pick(['rollback', 'undo'])
  if (job.state === 'paused' && random.chance(0.2)) return 'undo'
  return remedy(job)
}

/** What a sensible operator does. */
function remedy(job: JobState): Verb {
  switch (job.state) {
    case 'paused':
      return 'resume'
    case 'error':
      // Trying the same again undoes nothing that cannot be undone.
      return job.isUndoing ? 'skip' : 'reset'
    case 'aborted':
      return 'cancel'
    default:
      return 'pause'
  }
}

function drawWeather({ random, count }: World): Weather {
  const lost = random.weighted({ nothing: 85, request: 4, reply: 7, 'reply, and the server knows': 4 })
  const copies = random.chance(0.06) ? 2 : 1
  if (lost !== 'nothing') count(lost === 'request' ? 'requests lost' : 'replies lost')
  if (copies > 1) count('answers doubled')
  return { lost, copies }
}

const faults: Record<FaultKind, number> = {
  'crash in a transaction': 2,
  'crash before a commit': 3,
  'crash after a commit': 3,
  'disconnect before a commit': 1,
  'disconnect after a commit': 1,
  deadlock: 2,
}

function drawFault({ random }: World): Fault | undefined {
  if (!random.chance(0.12)) return undefined
  const kind = random.weighted(faults)
  return { kind, at: kind.endsWith('a commit') ? random.int(0, 1) : random.int(0, 9) }
}

/** How many rounds may pass without anything happening, before what still lives is looked at. */
const quietRounds = 3
const mostRounds = 150

async function calm(course: Course): Promise<void> {
  const { world, engines, agents } = course
  let quiet = 0
  for (let round = 0; round < mostRounds; round++) {
    const engine = engines[round % engines.length] as EngineSlot
    await perform(course, [runDue(engine)])
    const before = world.lines.length
    let busy = false
    for (const agent of agents) {
      while (agent.work()) busy = true
      const wanted = agent === agents[round % agents.length] ? 10 : 0
      if (agent.counts().answered) await perform(course, [agent.answer(engine, fairWeather, wanted)])
      else if (wanted) await perform(course, [agent.claim(engine, fairWeather, wanted)])
      busy ||= agent.counts().idle > 0
      // Copies of requests may come late, also when nothing fails any more.
      if (agent.counts().old && world.random.chance(0.3)) await perform(course, [agent.repeatOld(engine)])
    }
    if (busy) {
      quiet = 0
      continue
    }
    const jobs = await look(course)
    const listening = jobs.filter(job => job.isListening)
    for (const job of listening) await perform(course, [signal(world, engine, job, 'complete')])
    const standing = jobs.filter(job => job.outcome === null && ['paused', 'error', 'aborted'].includes(job.state))
    for (const job of standing) await perform(course, [apply(engine, job, remedy(job))])
    const live = jobs.filter(job => job.outcome === null)
    if (!live.length || (quiet >= quietRounds && live.every(job => job.state === 'waiting'))) return
    quiet = standing.length + listening.length || world.lines.length - before > 40 ? 0 : quiet + 1
    const ms = quiet > 0 ? 61_000 : leaseMs + 1
    world.clock.advance(ms)
    world.trace(`  the clock goes on by ${ms} ms`)
  }
  const left = (await look(course)).filter(job => job.outcome === null)
  throw new Violation('every Job comes to its end', left.map(describeJob).join('; '))
}
