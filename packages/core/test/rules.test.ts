import { describe, expect, it } from 'vitest'
import { type Facts, findRefusal, findWait, type JobKind, type TargetKind } from '../src/graph/rules.ts'

const targets: TargetKind[] = ['foundation', 'structure', 'dependency']
const kinds: JobKind[] = ['create', 'destroy', 'utility']

/** A target in the state in which a Job of this kind is in order, with nothing around it in the way. */
function inOrder(target: TargetKind, job: JobKind): Facts {
  return {
    target,
    job,
    state: job === 'create' ? 'planned' : 'built',
    bases: [{ name: 'base', built: true }],
    dependants: [],
  }
}

describe.each(targets)('a Job for a %s', target => {
  describe.each(kinds)('of kind %s', job => {
    if (target === 'dependency' && job === 'utility') {
      it('is refused: there are create and destroy Jobs only', () => {
        expect(findRefusal(inOrder(target, job))?.rule).toBe('no-utility')
      })
      return
    }

    it('is made when nothing is in the way', () => {
      expect(findRefusal(inOrder(target, job))).toBeUndefined()
    })

    it.each(kinds)('is refused while the target has a %s Job', present => {
      expect(findRefusal({ ...inOrder(target, job), present })).toEqual({
        rule: 'one-job',
        reason: `it has a ${present} Job already`,
      })
    })

    it.each(['planned', 'located', 'built'] as const)('looks at a target that is %s', state => {
      const rule = findRefusal({ ...inOrder(target, job), state })?.rule
      if (job === 'create') expect(rule).toBe(state === 'built' ? 'already-built' : undefined)
      else expect(rule).toBe(state === 'built' ? undefined : 'not-built')
    })

    it.each(kinds)('looks at a %s Job of what the target stands on', baseJob => {
      const rule = findRefusal({ ...inOrder(target, job), bases: [{ name: 'base', built: true, job: baseJob }] })?.rule
      if (job === 'create') expect(rule).toBe(baseJob === 'create' ? undefined : 'base-not-being-created')
      if (job === 'destroy') expect(rule).toBe(baseJob === 'destroy' ? undefined : 'base-not-being-destroyed')
      if (job === 'utility') expect(rule).toBeUndefined()
    })

    it('looks at whether what the target stands on is built', () => {
      const rule = findRefusal({ ...inOrder(target, job), bases: [{ name: 'base', built: false }] })?.rule
      expect(rule).toBe(job === 'destroy' ? 'base-not-built' : undefined)
    })
  })
})

describe('a Job starts', () => {
  it.each(targets)('to create a %s when all that it needs is built', target => {
    const facts: Facts = { ...inOrder(target, 'create'), state: target === 'foundation' ? 'located' : 'planned' }
    const bases = [
      { name: 'one', built: true },
      { name: 'two', built: false },
    ]
    expect(findWait({ ...facts, bases })).toBe('Waiting for two to be built')
    expect(findWait(facts)).toBeUndefined()
  })

  it('to create a Foundation when that is located, or a built Complex provides it', () => {
    expect(findWait(inOrder('foundation', 'create'))).toBe('Waiting to be located')
    expect(findWait({ ...inOrder('foundation', 'create'), state: 'located' })).toBeUndefined()
    expect(findWait({ ...inOrder('foundation', 'create'), provided: { by: 'c', built: false } })).toBe(
      'Waiting to be located',
    )
    expect(findWait({ ...inOrder('foundation', 'create'), provided: { by: 'c', built: true } })).toBeUndefined()
  })

  describe.each(targets)('to destroy a %s', target => {
    it.each([
      [false, false, 'waits'],
      [false, true, 'waits'],
      [true, true, 'waits'],
      [true, false, 'starts'],
    ])('while what needs it is planned (%s) and has a Job (%s): %s', (planned, hasJob, then) => {
      const wait = findWait({ ...inOrder(target, 'destroy'), dependants: [{ name: 'dependant', planned, hasJob }] })
      expect(wait).toBe(then === 'waits' ? 'Waiting for dependant to be destroyed' : undefined)
    })
  })

  it.each(['foundation', 'structure'] as const)('at once for a utility of a %s', target => {
    expect(findWait(inOrder(target, 'utility'))).toBeUndefined()
  })
})
