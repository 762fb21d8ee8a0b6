import { defineHandlers } from '@contractor/plugin'
import type { Command } from '../tasks.ts'
import { vyos } from '../vyos.ts'
import { type Router, withRouter } from './router.ts'

/** The Tasks of module `vyos`. */
export const handlers = defineHandlers(vyos, {
  configure: ({ commands, save, ...connection }, context) =>
    withRouter(connection, context, async router => {
      const wanted = await findChanges(router, commands)
      if (wanted.length) await router.commit(wanted)
      // What an attempt before has committed may not be kept yet.
      if (save) await router.save()
      return { changed: wanted.length > 0 }
    }),
  show: ({ path, ...connection }, context) =>
    withRouter(connection, context, async router => ({ config: await router.show(path) })),
})

/**
 * What is so already is not sent: versions differ in what they say to that. But where another command of the same list changes it
 * meanwhile, it is; and so is a comment, of which it cannot be seen whether it is there.
 */
async function findChanges(router: Router, commands: readonly Command[]): Promise<Command[]> {
  const changes: Command[] = []
  for (const command of commands) {
    const isTouched = commands.some(other => isOpposite(command, other))
    if (command.op !== 'comment' && !isTouched && (await router.exists(command.path)) === (command.op === 'set'))
      continue
    changes.push(command)
  }
  return changes
}

/** One sets and the other deletes, and one is below the other. */
function isOpposite(one: Command, other: Command): boolean {
  const ops = [one.op, other.op].sort().join()
  const shorter = Math.min(one.path.length, other.path.length)
  return ops === 'delete,set' && one.path.slice(0, shorter).every((part, at) => part === other.path[at])
}
