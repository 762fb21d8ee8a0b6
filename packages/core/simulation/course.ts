import type { Verb } from '@contractor/core'
import { createAgent, fairWeather, type SimulatedAgent, type Weather } from './agent.ts'
import { type EngineSlot, leaseMs, make, type Request } from './engine-slot.ts'
import type { Fault, FaultKind } from './fault.ts'
import { checkEnds, checkJobs, describeJob, type JobState, listJobs } from './job-laws.ts'
import { Violation } from './laws.ts'
import { createTargets, order, type SimulatedTarget } from './targets.ts'
import type { World } from './world.ts'

/**
 * What happens in one run. First a stormy part, in which everything that may go wrong does so at random; then a calm
 * one, in which engines, agents and the operator do what they should, and at whose end every Job has come to its own.
 */
export async function playCourse(world: World, engines: readonly EngineSlot[]): Promise<void> {
  const { random } = world
  const [first] = engines
  if (!first) throw new Error('A run needs an engine')
  const targets = await createTargets(world)
  const agents = Array.from({ length: random.int(1, 3) }, (_, at) => createAgent(`agent${at}`, world))
  const course: Course = { world, engines, targets, agents, jobs: [] }
  for (let left = random.int(1, targets.length); left > 0; left--) await perform(course, [order(world, first, targets)])
  for (let left = random.int(10, 45); left > 0; left--) await storm(course)
  world.calm = true
  world.trace('calm')
  await calm(course)
  await checkEnds(world, await listJobs(world))
}

interface Course {
  world: World
  engines: readonly EngineSlot[]
  targets: readonly SimulatedTarget[]
  agents: readonly SimulatedAgent[]
  /** As they were when somebody last looked. */
  jobs: JobState[]
}

type Asking = 'run' | 'claim' | 'answer' | 'old' | 'renew' | 'release' | 'verb' | 'order'
type Doing = 'work' | 'die' | 'clock' | 'together'

const asking: Record<Asking, number> = {
  run: 16,
  claim: 12,
  answer: 14,
  old: 3,
  renew: 3,
  release: 3,
  verb: 4,
  order: 5,
}
const doing: Record<Asking | Doing, number> = { ...asking, work: 16, die: 1.5, clock: 9, together: 7 }

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
    case 'together': {
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

async function perform({ world }: Course, requests: readonly Request[]): Promise<void> {
  if (!requests.length) return
  if (requests.length > 1) world.trace('  at once:')
  await make(world, requests)
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
      case 'verb': {
        const job = await pickJob(course)
        return (
          job &&
          apply(engine, job, random.chance(0.3) ? random.pick(['pause', 'resume', 'reset']) : drawVerb(world, job))
        )
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
  run: async () => {
    await engine.contractor.jobs.apply(job.id, verb, { by: 'operator' })
  },
})

async function pickJob(course: Course): Promise<JobState | undefined> {
  course.jobs = await look(course)
  const live = course.jobs.filter(job => job.outcome === null)
  return live.length ? course.world.random.pick(live) : undefined
}

async function look({ world }: Course): Promise<JobState[]> {
  const jobs = await listJobs(world)
  checkJobs(world, jobs)
  return jobs
}

function drawVerb({ random }: World, job: JobState): Verb {
  return random.chance(0.08) ? 'cancel' : remedy(job)
}

/** What a sensible operator does. */
function remedy(job: JobState): Verb {
  switch (job.state) {
    case 'paused':
      return 'resume'
    case 'error':
      return 'reset'
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
    const standing = jobs.filter(job => job.outcome === null && ['paused', 'error', 'aborted'].includes(job.state))
    for (const job of standing) await perform(course, [apply(engine, job, remedy(job))])
    const live = jobs.filter(job => job.outcome === null)
    if (!live.length || (quiet >= quietRounds && live.every(job => job.state === 'waiting'))) return
    quiet = standing.length || world.lines.length - before > 40 ? 0 : quiet + 1
    const ms = quiet > 0 ? 61_000 : leaseMs + 1
    world.clock.advance(ms)
    world.trace(`  the clock goes on by ${ms} ms`)
  }
  const left = (await look(course)).filter(job => job.outcome === null)
  throw new Violation('every Job comes to its end', left.map(describeJob).join('; '))
}
