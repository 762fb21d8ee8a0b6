import { pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { dockerComplex } from '../src/connection.ts'
import { containerSpec } from '../src/container-spec.ts'
import { docker } from '../src/docker.ts'
import { toDeviceError } from '../src/handlers/daemon.ts'
import { handlers } from '../src/handlers/index.ts'

const container_spec = { image: 'nginx:1.27', port_list: [80, '53/udp'] }
const state = {
  ...{ state: 'running', id: 'abc', status: 'running', exit_code: null, image: 'nginx', ports: { '80/tcp': 20000 } },
  ...{ address_map: {}, call: 'call-1' },
}

describe('the laws of plugins', () => {
  const laws = pluginLaws(docker, handlers, {
    args: {
      create: [{ container_spec }, { container_spec, port_map: { '80': 8080 } }],
      map_ports: [{ container_spec }],
      execute: [{ command: 'ls' }, { command: ['ls', '/'], expected_rc: null }],
      pull: [{ image: 'nginx' }],
    },
    replies: {
      create: [{ id: 'abc', ports: { '80/tcp': 20000 } }],
      pull: [{ id: 'abc', isNew: true }],
      start: [{ started: true }],
      stop: [{ stopped: true }],
      state: [state, { ...state, state: 'gone', id: null, call: null }],
      destroy: [{ destroyed: true }],
      execute: [
        { rc: 0, output: 'x', all: null },
        { rc: 1, output: 'no', all: null },
      ],
      logs: [{ output: 'x', all: null }],
      list: [
        {
          containers: [
            { name: 'web', id: 'abc', image: 'nginx', status: 'Up' },
            { name: 'a.b', id: 'd', image: 'x', status: '' },
          ],
        },
      ],
    },
    config: { docker_image: 'nginx', port_list: [80] },
    abortable: { state: { host: 'unix:///nowhere.sock', ca: null, cert: null, key: null, name: 'a' } },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('what a container is to be', () => {
  it('is read in the forms that people write', () => {
    expect(
      containerSpec.parse({
        image: 'a',
        port_list: [80, '443/tcp', '53/udp'],
        command: 'sleep  5',
        cpu_count: '0.5',
        environment_map: { A: 1 },
      }),
    ).toMatchObject({
      ...{
        port_list: ['80/tcp', '443/tcp', '53/udp'],
        command: ['sleep', '5'],
        cpu_count: 0.5,
        environment_map: { A: '1' },
      },
    })
  })

  it.each([
    [{ image: 'Upper' }, 'must be an image'],
    [{ image: '--privileged' }, 'must be an image'],
    [{ image: 'a', port_list: ['80/http'] }, 'must be a port'],
    [{ image: 'a', memory_size: 1 }, '6'],
    [{ image: 'a', mount_list: [{ source: 'x', target: 'relative' }] }, '/'],
    [{ image: 'a', environment_map: { 'A=B': 'x' } }, ''],
  ])('%j is refused', (given, message) => {
    expect(JSON.stringify(containerSpec.safeParse(given).error?.issues ?? null)).toContain(message)
    expect(containerSpec.safeParse(given).success).toBe(false)
  })

  it.each(['/var/run/docker.sock', 'tcp://host', 'tcp://-H:2376', 'http://x:1', 'tcp://h:99999'])(
    'the daemon %s is refused',
    docker_host => {
      expect(dockerComplex.fields.safeParse({ docker_host }).success).toBe(false)
    },
  )
  it.each(['unix:///run/docker.sock', 'tcp://docker1.lab:2376', 'tcp://[2001:db8::1]:2375'])(
    'the daemon %s is taken',
    docker_host => {
      expect(dockerComplex.fields.safeParse({ docker_host }).success).toBe(true)
    },
  )
})

describe('what the daemon says', () => {
  it.each([
    [{ statusCode: 404, json: { message: 'No such container: x' } }, 'NOT_FOUND', false],
    [{ statusCode: 409, json: { message: 'Conflict. The container name is in use' } }, 'ALREADY_EXISTS', false],
    [{ statusCode: 500, json: { message: 'write /x: no space left on device' } }, 'DEVICE_FULL', false],
    [{ statusCode: 500, json: { message: 'unauthorized: authentication required' } }, 'DEVICE_UNAUTHENTICATED', false],
    [
      { statusCode: 500, json: { message: 'Bind for 0.0.0.0:80 failed: port is already allocated' } },
      'DEVICE_REFUSED',
      false,
    ],
    [{ statusCode: 503, json: { message: 'node is not a swarm manager' } }, 'DEVICE_BUSY', true],
    [{ code: 'ENOENT', message: 'connect ENOENT /x' }, 'DEVICE_UNREACHABLE', true],
    [{ code: 'EACCES', message: 'connect EACCES /x' }, 'DEVICE_REFUSED', false],
    [{ code: 'SELF_SIGNED_CERT_IN_CHAIN', message: 'self-signed certificate' }, 'DEVICE_UNTRUSTED', false],
    [{ code: 'HPE_INVALID_CONSTANT', message: 'Parse Error' }, 'DEVICE_ANSWER_INVALID', true],
  ])('%j is %s', (thrown, code, retryable) => {
    expect(toDeviceError('Docker x', thrown)).toMatchObject({ code, retryable })
  })
})
