import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { lockDirectory } from '@contractor/plugin/directory-lock'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../../test/temporary-folder.ts'

const take = (folder: string) => lockDirectory(folder, holder => new Error(`in use by ${holder}`))

const source = pathToFileURL(join(import.meta.dirname, '../src/directory-lock.ts')).href
const program = (folder: string) => `
  const { lockDirectory } = await import(${JSON.stringify(source)})
  await lockDirectory(${JSON.stringify(folder)}, holder => new Error('in use by ' + holder)).then(
    () => console.log('held'), error => console.log(error.message))
  setInterval(() => {}, 1000)`

/** A process that tries to take the lock, and stays; what it says. */
async function start(folder: string, wrapper: readonly string[] = []): Promise<{ child: ChildProcess; said: string }> {
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', program(folder)]
  const [command = '', ...args] = [...wrapper, ...node]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [said] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return { child, said: said.toString().trim() }
}

/** A container's namespaces of processes, networks and host names; undefined where this user may make none. */
function namespaces(): readonly string[] | undefined {
  const wrapper = ['unshare', '--pid', '--fork', '--net', '--uts', '--kill-child']
  try {
    execFileSync(wrapper[0] as string, [...wrapper.slice(1), 'true'], { stdio: 'ignore' })
    return wrapper
  } catch {
    return undefined
  }
}

describe('the lock of a directory', () => {
  it('is for one at a time, whoever comes at once and by whatever path, and leaves nothing behind', async () => {
    const folder = await temporaryFolder()
    for (let round = 0; round < 5; round++) {
      const ends = await Promise.allSettled(
        Array.from({ length: 8 }, (_, at) => take(at % 2 ? folder : join(folder, '.'))),
      )
      const locks = ends.flatMap(end => (end.status === 'fulfilled' ? [end.value] : []))
      expect(locks).toHaveLength(1)
      for (const end of ends)
        if (end.status === 'rejected') expect(end.reason.message).toBe(`in use by process ${process.pid}`)
      await locks[0]?.release()
      expect(await readdir(folder)).toEqual([])
    }
  })

  it('ends with its process, however that ends', async () => {
    const folder = await temporaryFolder()
    const { child, said } = await start(folder)
    expect(said).toBe('held')
    await expect(take(folder)).rejects.toThrow(`in use by process ${child.pid}`)
    // Also while it stands still.
    child.kill('SIGSTOP')
    await expect(take(folder)).rejects.toThrow('in use by another process')
    child.kill('SIGKILL')
    await once(child, 'exit')
    await (await take(folder)).release()
    expect(await readdir(folder)).toEqual([])
  })

  const wrapper = namespaces()
  it.skipIf(!wrapper)('holds in all namespaces of processes and networks, as containers have them', async () => {
    const folder = await temporaryFolder()
    const one = await start(folder, wrapper)
    expect(one.said).toBe('held')
    // Both are process 1 where they are.
    expect((await start(folder, wrapper)).said).toBe('in use by process 1')
    await expect(take(folder)).rejects.toThrow('in use by process 1')
    one.child.kill('SIGKILL')
    await once(one.child, 'exit')
    expect((await start(folder, wrapper)).said).toBe('held')
  })

  it('takes directories whose path is longer than a socket may have, and what others have left in them', async () => {
    const folder = join(await temporaryFolder(), 'a'.repeat(120))
    await mkdir(folder)
    await writeFile(join(folder, '.contractor-000000000000.lock'), 'no socket')
    const lock = await take(folder)
    await expect(take(folder)).rejects.toThrow('in use by')
    await lock.release()
    expect(await readdir(folder)).toEqual([])
  })

  it('says so where the directory cannot be used', async () => {
    await expect(take('/nowhere/at/all')).rejects.toThrow(/ENOENT|EACCES/)
  })
})
