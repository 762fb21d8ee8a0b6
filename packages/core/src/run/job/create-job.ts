import { ContractorError } from '@contractor/contract'
import { eq } from 'drizzle-orm'
import { type Db, sqlState } from '../../database/database.ts'
import { job } from '../../database/job-schema.ts'
import { script } from '../../database/schema.ts'
import { findScript, loadBlueprintTree } from '../../definition/blueprint/blueprint-tree.ts'
import { compileScript, saveProgram } from '../../definition/script/compile-script.ts'
import type { Engine } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'
import { recordEvents } from '../../event/record-events.ts'
import { loadNeighbours } from '../../graph/neighbours.ts'
import { findRefusal, jobKind } from '../../graph/rules.ts'
import { type JobRow, lockTarget, refName, type Target, type TargetRef, targetName } from '../../graph/target.ts'

/**
 * Orders a Job: checks the rules, finds the script by the target's BluePrint, and leaves it to the Foreman to start it
 * when it may. The program is fixed here: what changes later changes other Jobs.
 */
export async function createJob(engine: Engine, tx: Db, ref: TargetRef, action: string, by: string): Promise<JobRow> {
  const target = await lockTarget(tx, ref)
  if (!target) {
    const [[kind, id] = ['', '']] = Object.entries(ref)
    throw new ContractorError('NOT_FOUND', `${refName(ref)} does not exist`, { kind, id })
  }
  const name = targetName(target)
  const facts = (await loadNeighbours(tx, [target])).facts(target, jobKind(action))
  const refusal = findRefusal(facts)
  if (refusal) {
    throw new ContractorError('JOB_REFUSED', `A ${action} Job for ${name} is refused: ${refusal.reason}`, {
      rule: refusal.rule,
      target: name,
    })
  }
  const programId = await findProgram(engine, tx, target, action)
  const now = engine.clock.now()
  const [row] = await tx
    .insert(job)
    .values({
      ...ref,
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
  await recordEvents(engine, tx, [
    {
      type: 'job.created',
      by,
      job: created.id,
      foundation: created.foundation,
      structure: created.structure,
      dependency: created.dependency,
      data: { action },
    },
  ])
  await notify(tx, 'job')
  return created
}

/** By the target's BluePrint; a Dependency names its scripts itself, and needs none. */
async function findProgram(engine: Engine, tx: Db, target: Target, action: string): Promise<string> {
  if (target.dependency) {
    const named = action === 'create' ? target.dependency.createScript : target.dependency.destroyScript
    if (named === null) return saveProgram(tx, compileScript(engine, 'nothing', '').program, '')
    return requireProgram(tx, named)
  }
  const { blueprint } = target.structure ?? target.foundation
  const named = findScript(await loadBlueprintTree(tx, [blueprint]), blueprint, action)
  if (named !== undefined) return requireProgram(tx, named)
  const why = `neither its BluePrint '${blueprint}' nor what that inherits from names one`
  throw new ContractorError('NOT_FOUND', `${targetName(target)} has no script '${action}': ${why}`, {
    kind: 'Script',
    id: action,
  })
}

async function requireProgram(tx: Db, name: string): Promise<string> {
  const [found] = await tx.select({ programId: script.programId }).from(script).where(eq(script.name, name))
  if (!found) throw new ContractorError('NOT_FOUND', `Script '${name}' does not exist`, { kind: 'Script', id: name })
  return found.programId
}
