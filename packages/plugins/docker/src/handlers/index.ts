import { defineHandlers } from '@contractor/plugin'
import { docker } from '../docker.ts'
import { createContainer } from './create-container.ts'
import { openDaemon } from './daemon.ts'
import { findContainer, labels, toState } from './find-container.ts'
import { findImage, pullImage } from './pull-image.ts'
import { answerWith, executeIn, readLogs } from './read-output.ts'
import { destroyContainer, startContainer, stopContainer } from './run-container.ts'

/** The Tasks of module `docker`, by the Docker Engine API. */
export const handlers = defineHandlers(docker, {
  create: createContainer,
  async pull({ image, login, ...connection }, context) {
    const daemon = openDaemon(connection, context)
    const before = await findImage(daemon, image)
    const id = await pullImage(daemon, image, login, context)
    return { id, isNew: id !== before }
  },
  start: ({ name, settleMs, ...connection }, context) =>
    startContainer(openDaemon(connection, context), name, settleMs, context.signal),
  stop: ({ name, graceMs, ...connection }, context) => stopContainer(openDaemon(connection, context), name, graceMs),
  async state({ name, ...connection }, context) {
    const found = await findContainer(openDaemon(connection, context), name)
    // Another's of the same name is none of ours.
    return toState(found?.Config.Labels?.[labels.foundation] === name ? found : undefined)
  },
  destroy: ({ name, ...connection }, context) => destroyContainer(openDaemon(connection, context), name),
  async execute(wanted, context) {
    const { rc, output } = await executeIn(openDaemon(wanted, context), wanted)
    return { rc, ...(await answerWith(output, 'output.txt', context)) }
  },
  async logs({ name, tail, ...connection }, context) {
    return answerWith(await readLogs(openDaemon(connection, context), name, tail), `${name}.log`, context)
  },
  async list(connection, context) {
    const daemon = openDaemon(connection, context)
    const containers = await daemon.ask(abortSignal => daemon.api.listContainers({ all: true, abortSignal }))
    return {
      containers: containers.map(({ Id, Names, Image, Status }) => ({
        ...{ id: Id, name: (Names[0] ?? Id).replace(/^\//, ''), image: Image, status: Status },
      })),
    }
  },
})
