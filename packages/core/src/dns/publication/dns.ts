import { type CallOptions, type Engine, transaction } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { lockPublishing, type PublishedZones, publishZones } from './publish-zones.ts'
import type { TsigKey } from './tsig.ts'
import { type UpdateOptions, updateServer, type ZoneUpdate } from './update-server.ts'
import { type FileChange, type WriteOptions, writeZoneFiles } from './write-zone-files.ts'

export interface WrittenFiles {
  readonly changes: readonly FileChange[]
  readonly zones: number
  readonly warnings: readonly string[]
}

export interface UpdatedZones {
  readonly zones: readonly ZoneUpdate[]
  readonly warnings: readonly string[]
}

/** Zones, made from what is known: as files for a name server, or as updates of one that runs. */
export interface Dns {
  /** All zones as they are now; serials rise as they would when published, and are not kept. */
  preview(options?: CallOptions): Promise<PublishedZones>
  /** All zones as they are now, with serials that are kept: those of zones that have changed have risen. */
  publish(options?: CallOptions): Promise<PublishedZones>
  /** Publishes, and writes what has changed into a folder. Throws VALIDATION_FAILED when that cannot be used. */
  write(directory: string, options?: WriteOptions & Pick<CallOptions, 'by'>): Promise<WrittenFiles>
  /**
   * Brings the zones of a running name server up to date (RFC 2136), which owns their serials then. What fails for a zone
   * stands at that zone; throws SERVER_UNREACHABLE when nobody answers.
   */
  update(server: string, key: TsigKey, options?: UpdateOptions): Promise<UpdatedZones>
}

export function createDns(engine: Engine): Dns {
  return surface(engine, {
    preview: (options = {}) => transaction(engine, options, tx => publishZones(engine, tx, false, options)),
    publish: (options = {}) => transaction(engine, options, tx => publishZones(engine, tx, true, options)),
    async write(directory, options = {}) {
      const { check = false } = options
      // Two transactions: what is in files must be committed, since serials that came to nothing would be given again.
      const { zones, warnings } = await transaction(engine, { by: options.by }, tx =>
        publishZones(engine, tx, !check, options),
      )
      const changes = await transaction(engine, {}, async tx => {
        await lockPublishing(tx)
        return writeZoneFiles(zones, directory, options)
      })
      return { changes, zones: zones.length, warnings }
    },
    async update(server, key, options = {}) {
      const { zones, warnings } = await transaction(engine, {}, tx => publishZones(engine, tx, false))
      return { zones: await updateServer(engine, zones, server, key, options), warnings }
    },
  })
}
