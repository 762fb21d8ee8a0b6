import { createTaskReports } from '@contractor/plugin/agent'
import { describe, expect, it } from 'vitest'

const open = () => createTaskReports({ now: () => 5, onNews: () => {} })

describe('what a handler tells', () => {
  it('is kept until it was told, in parts', () => {
    const reports = open()
    expect(reports.next()).toBeUndefined()
    for (let at = 1; at <= 250; at++) reports.line(`${at}`)
    const first = reports.next()
    expect(first?.report.lines).toHaveLength(200)
    expect(reports.next()?.report).toEqual(first?.report)
    first?.told()
    expect(reports.next()?.report.lines?.[0]).toEqual({ place: 201, at: 5, text: '201' })
    expect(reports.rest()).toHaveLength(50)
    expect(reports.next()).toBeUndefined()
  })

  it('is its last progress, within 0 and 100, with its last message', () => {
    const reports = open()
    reports.progress(10, 'Pulling')
    reports.progress(-3)
    expect(reports.next()?.report).toEqual({ progress: 0, message: 'Pulling' })
    reports.progress(Number.NaN, 'Unpacking')
    const told = reports.next()
    expect(told?.report).toEqual({ progress: 0, message: 'Unpacking' })
    reports.progress(1000)
    told?.told()
    expect(reports.next()?.report).toEqual({ progress: 100, message: 'Unpacking' })
  })

  it('has so many lines at the most, and texts that can be kept', () => {
    const reports = open()
    for (let at = 1; at <= 1200; at++) reports.line(at === 1 ? `a\0${'b'.repeat(5000)}` : `${at}`)
    const lines = reports.rest()
    expect(lines).toHaveLength(1000)
    expect(lines[0]?.text).toHaveLength(2000)
    expect(lines[0]?.text.startsWith('a\uFFFDb')).toBe(true)
    expect(lines.at(-1)).toMatchObject({ place: 1000, text: '(what follows is not kept)' })
  })
})
