import { eq } from 'drizzle-orm'
import { findScript, loadBlueprintTree } from '../blueprint/blueprint-tree.ts'
import { type Db, sqlState } from '../database/database.ts'
import { job, script } from '../database/schema.ts'
import type { Engine } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { recordEvents } from '../event/record-events.ts'
import { ContractorError } from '../plugin/error.ts'
import { findRefusal, jobKind } from './rules.ts'
import { type JobRow, loadSurroundings, lockTarget, type TargetRef, targetName, toFacts } from './target.ts'

/**
 * Orders a Job: checks the rules, finds the script by the target's BluePrint, and leaves it to the Foreman to start it
 * when it may. The program is fixed here: what changes later changes other Jobs.
 */
export async function createJob(engine: Engine, tx: Db, ref: TargetRef, action: string, by: string): Promise<JobRow> {
  const target = await lockTarget(tx, ref)
  if (!target) {
    const [kind, id] = 'foundation' in ref ? ['Foundation', ref.foundation] : ['Structure', ref.structure]
    throw new ContractorError('NOT_FOUND', `${kind} '${id}' does not exist`, {
      kind: String(kind),
      id: id as string | number,
    })
  }
  const name = targetName(target)
  const facts = toFacts(target, jobKind(action), await loadSurroundings(tx, [target]))
  const refusal = findRefusal(facts)
  if (refusal) {
    throw new ContractorError('JOB_REFUSED', `A ${action} Job for ${name} is refused: ${refusal.reason}`, {
      rule: refusal.rule,
      target: name,
    })
  }
  const programId = await findProgram(tx, (target.structure ?? target.foundation).blueprint, action, name)
  const now = engine.clock.now()
  const [row] = await tx
    .insert(job)
    .values({
      ...('foundation' in ref ? { foundation: ref.foundation } : { structure: ref.structure }),
      action,
      programId,
      wakeAt: now,
      createdBy: by,
      createdAt: now,
      updatedAt: now,
    })
    .returning()
    .catch(error => {
      // Two orders in one moment, for two Structures that swap a Foundation, say: the index has the last word.
      if (sqlState(error) !== '23505') throw error
      throw new ContractorError('JOB_REFUSED', `A ${action} Job for ${name} is refused: it has a Job already`, {
        rule: 'one-job',
        target: name,
      })
    })
  const created = row as JobRow
  await recordEvents(tx, engine.clock, [
    {
      type: 'job.created',
      by,
      job: created.id,
      foundation: created.foundation,
      structure: created.structure,
      data: { action },
    },
  ])
  await notify(tx, 'job', 'event')
  return created
}

async function findProgram(tx: Db, blueprint: string, action: string, target: string): Promise<string> {
  const scriptName = findScript(await loadBlueprintTree(tx, [blueprint]), blueprint, action)
  const [found] = scriptName
    ? await tx.select({ programId: script.programId }).from(script).where(eq(script.name, scriptName))
    : []
  if (found) return found.programId
  throw new ContractorError(
    'NOT_FOUND',
    `${target} has no script '${action}': neither its BluePrint '${blueprint}' nor what that inherits from names one`,
    {
      kind: 'Script',
      id: action,
    },
  )
}
