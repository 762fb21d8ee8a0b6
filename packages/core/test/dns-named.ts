import { execFile, spawn, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../../test/embedded-postgres.ts'

/** A real name server on loopback, with a folder of its own. */
export interface Named {
  readonly port: number
  readonly folder: string
  /** What it answers: the data of the records, sorted. */
  dig(name: string, type: string, ...options: string[]): Promise<string[]>
  /** Reads its configuration and its zones again. */
  reload(): Promise<void>
  stop(): Promise<void>
}

export const programs = ['named', 'dig', 'named-checkzone', 'named-checkconf', 'rndc']
export const missingPrograms = programs.filter(program => spawnSync(program, ['-V']).error !== undefined)

const run = promisify(execFile)

/** `configure` gives the part of named.conf that says which zones there are, for the folder. */
export async function startNamed(configure: (folder: string) => Promise<string>): Promise<Named> {
  const folder = await mkdtemp(join(tmpdir(), 'contractor-named-'))
  const port = await freePort()
  const control = await freePort()
  const secret = Buffer.from('only for this test').toString('base64')
  await mkdir(join(folder, 'run'))
  await writeFile(join(folder, 'rndc.key'), `key "rndc" { algorithm hmac-sha256; secret "${secret}"; };\n`)
  const own = await configure(folder)
  const conf = join(folder, 'named.conf')
  await writeFile(
    conf,
    `options {
  directory "${join(folder, 'run')}"; pid-file none; session-keyfile none;
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; notify no;
};
include "${join(folder, 'rndc.key')}";
controls { inet 127.0.0.1 port ${control} allow { 127.0.0.1; } keys { "rndc"; }; };
${own}`,
  )
  await run('named-checkconf', ['-z', conf])
  const child = spawn('named', ['-g', '-n', '1', '-c', conf], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', data => {
      said += data
      if (/ running\n/.test(said)) resolve()
    })
    void ended.then(() => reject(new Error(`named ended:\n${said}`)))
  })
  return {
    port,
    folder,
    async dig(name, type, ...options) {
      const args = [
        '@127.0.0.1',
        '-p',
        String(port),
        '+time=2',
        '+tries=2',
        '+noall',
        '+answer',
        ...options,
        name,
        type,
      ]
      const { stdout } = await run('dig', args)
      const lines = stdout.split('\n').filter(line => line && !line.startsWith(';'))
      return lines.map(line => line.split(/\s+/).slice(3).join(' ')).sort()
    },
    async reload() {
      await run('rndc', ['-s', '127.0.0.1', '-p', String(control), '-k', join(folder, 'rndc.key'), 'reload'])
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true })
    },
  }
}
