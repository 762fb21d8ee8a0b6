import { connect } from 'node:net'

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export function isPortOpen(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** The page that a web server of the demo serves. */
export async function readPage(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`)
  if (!response.ok) throw new Error(`http://127.0.0.1:${port}/ answered ${response.status}`)
  return response.text()
}
