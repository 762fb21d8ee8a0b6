import { type Evidence, type EvidenceKind, evidenceKinds } from '@contractor/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { weightOf } from '../src/inventory/survey/evidence.ts'
import { contraryTo, judgeEvidence, type Standing } from '../src/inventory/survey/judge-evidence.ts'

const shown = (kind: EvidenceKind, foundation: string, value = `${kind}-${foundation}`): Evidence => ({
  ...{ kind, value, foundation, weight: weightOf[kind] },
})
const shared = (kind: EvidenceKind, foundation: string): Evidence => ({
  ...{ ...shown(kind, foundation), weight: 0, note: "machine 'x' shows it too" },
})
const planned: Standing = { state: 'planned', claimedBy: null }
const all = (changes: Record<string, Standing> = {}) =>
  new Map(Object.entries({ f1: planned, f2: planned, f3: planned, ...changes }))
const judge = (evidence: Evidence[], changes?: Record<string, Standing>) => judgeEvidence(evidence, all(changes), 'me')

describe('evidence', () => {
  it('of an earlier kind weighs more than that of all later kinds together', () => {
    const weights = evidenceKinds.map(kind => weightOf[kind])
    for (const [at, weight] of weights.entries())
      expect(weight).toBeGreaterThan(weights.slice(at + 1).reduce((sum, one) => sum + one, 0))
  })

  it.each([
    ['nothing', [], {}, 'unmatched', 'Nothing of what it reported is known'],
    ['one kind', [shown('serial', 'f1')], {}, 'f1', "It is Foundation 'f1', by serial number or BMC serial-f1"],
    [
      'an earlier kind against later ones',
      [shown('lldp', 'f1'), ...(['mac', 'serial', 'address'] as const).map(kind => shown(kind, 'f2'))],
      {},
      'aside',
      "Its LLDP neighbour contradicts its MAC: 'f1' by LLDP neighbour lldp-f1, 'f2' by MAC mac-f2 and serial",
    ],
    ['an address against another kind', [shown('mac', 'f1'), shown('address', 'f2')], {}, 'f1', 'by MAC mac-f1'],
    [
      'what another machine shows too against what it alone has',
      [shared('serial', 'f1'), shown('mac', 'f2')],
      {},
      'f2',
      'by MAC mac-f2',
    ],
    [
      'what another machine shows too, and nothing else',
      [shared('serial', 'f1')],
      {},
      'aside',
      "Nothing of what it reported tells it from others: 'f1' by serial number or BMC serial-f1 (machine 'x' shows it too)",
    ],
    [
      'two kinds against the stronger of them',
      [shown('mac', 'f1'), shown('mac', 'f1', 'other'), shown('serial', 'f1')],
      {},
      'f1',
      'MAC mac-f1 and MAC other and serial',
    ],
    [
      'one kind for two',
      [shown('mac', 'f1'), shown('mac', 'f2'), shown('configUuid', 'f1')],
      {},
      'aside',
      "Its MAC speaks for several: 'f1' by config UUID and MAC mac-f1, 'f2' by MAC mac-f2. Assign",
    ],
    [
      'an address in two Sites, and nothing else',
      [shown('address', 'f1'), shown('address', 'f2')],
      {},
      'aside',
      'Several Foundations have an equal score',
    ],
    [
      'an address in two Sites, and something else',
      [shown('address', 'f1'), shown('address', 'f2'), shown('serial', 'f2')],
      {},
      'f2',
      '',
    ],
    [
      'one that another machine is',
      [shown('mac', 'f1')],
      { f1: { state: 'planned', claimedBy: 'other' } as const },
      'aside',
      "Foundation 'f1', with which machine 'other' is matched; release that: 'f1' by MAC",
    ],
    [
      'one that is located already',
      [shown('mac', 'f1')],
      { f1: { state: 'located', claimedBy: null } as const },
      'aside',
      "Foundation 'f1', which is located already",
    ],
    [
      'one that is built, with its config UUID as proof',
      [shown('configUuid', 'f1')],
      { f1: { state: 'built', claimedBy: null } as const },
      'f1',
      'by config UUID',
    ],
    ['one that is itself', [shown('mac', 'f1')], { f1: { state: 'built', claimedBy: 'me' } as const }, 'f1', ''],
    [
      'the best one taken, and another one free',
      [shown('lldp', 'f1'), shown('mac', 'f2')],
      { f1: { state: 'located', claimedBy: 'other' } as const },
      'aside',
      "'f2' by MAC",
    ],
  ])('for %s', (_, evidence, standings, outcome, message) => {
    const verdict = judge(evidence, standings)
    expect(verdict.state === 'matched' ? verdict.foundation : verdict.state).toBe(outcome)
    expect(verdict.message).toContain(message)
  })

  it('is judged alike in any order', () => {
    const one = fc
      .tuple(fc.constantFrom(...evidenceKinds), fc.constantFrom('f1', 'f2', 'f3'), fc.constantFrom('a', 'b'))
      .map(([kind, foundation, value]) => shown(kind, foundation, value))
    const standing = fc.record({
      state: fc.constantFrom('planned' as const, 'located' as const, 'built' as const),
      claimedBy: fc.constantFrom(null, 'me', 'other'),
    })
    const given = fc
      .array(one, { maxLength: 8 })
      .chain(evidence =>
        fc.tuple(
          fc.constant(evidence),
          fc.shuffledSubarray(evidence, { minLength: evidence.length }),
          fc.record({ f1: standing, f2: standing, f3: standing }),
        ),
      )
    fc.assert(
      fc.property(given, ([evidence, shuffled, standings]) => {
        const verdict = judge(evidence, standings)
        expect(judge(shuffled, standings)).toEqual(verdict)
        if (verdict.state !== 'matched') return
        // Whoever is matched has no rival of its kind, and is nobody else's.
        for (const kind of evidenceKinds.filter(kind => kind !== 'address'))
          expect(new Set(evidence.filter(it => it.kind === kind).map(it => it.foundation)).size).toBeLessThan(2)
        expect(standings[verdict.foundation as 'f1'].claimedBy).not.toBe('other')
      }),
    )
  })

  it('for another than the one that a machine is matched with is told', () => {
    expect(contraryTo([shown('mac', 'f1'), shown('serial', 'f2')], 'f1')).toBeUndefined()
    expect(contraryTo([shown('mac', 'f2'), shown('serial', 'f1')], 'f1')).toBe(
      "More speaks for Foundation 'f2' (MAC mac-f2) by now: release it, if it was moved",
    )
  })
})
