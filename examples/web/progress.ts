import type { JobView } from './api.ts'

/** What is shown of one target. */
export interface Target {
  name: string
  job: JobView
}

/** Shows targets as they move: a block that is drawn anew in a terminal, a line for each change elsewhere. */
export interface Progress {
  show(targets: readonly Target[]): void
}

const barWidth = 20

export function createProgress(out: NodeJS.WriteStream, write: (line: string) => void): Progress {
  let drawn = 0
  const shown = new Map<string, string>()
  return {
    show(targets) {
      const lines = targets.map(target => [target.name, toLine(target, out.isTTY ? out.columns : 0)] as const)
      if (out.isTTY) {
        if (drawn) out.write(`\x1b[${drawn}A`)
        for (const [, line] of lines) out.write(`\x1b[2K${line}\n`)
        drawn = lines.length
        return
      }
      for (const [name, line] of lines) {
        if (shown.get(name) === line) continue
        shown.set(name, line)
        write(line)
      }
    },
  }
}

function toLine({ name, job }: Target, columns: number): string {
  const full = Math.round((job.progress / 100) * barWidth)
  const bar = `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`
  const line = `  ${name.padEnd(18)} ${job.action.padEnd(7)} ${bar} ${String(job.progress).padStart(3)} %  ${job.state.padEnd(8)} ${job.message}`
  return columns ? line.slice(0, columns - 1) : line.trimEnd()
}
