import { describe, expect, it, onTestFinished } from 'vitest'
import { type FakeRequest, startFakeServer } from '../../../test/fake-device.ts'
import { type HttpsDevice, withHttps } from '../src/https.ts'

const signal = new AbortController().signal

/** A device that shows what it was sent, and closes the connection after each answer. */
async function open(tls = true) {
  const asked: FakeRequest[] = []
  const server = await startFakeServer({
    tls,
    answer(request) {
      asked.push(request)
      const isGood = request.path !== '/bad'
      return {
        ...{ status: isGood ? 200 : 500, ...(!isGood && { reason: 'no quorum!' }), headers: { Connection: 'close' } },
        body: request.path === '/xml' ? '<a/>' : { data: 1 },
      }
    },
  })
  onTestFinished(() => server.stop())
  const connection = { host: '127.0.0.1', port: server.port, fingerprint: tls ? server.fingerprint : null, tls }
  const work = <T>(run: (device: HttpsDevice) => Promise<T>) => withHttps(connection, { signal, name: 'device' }, run)
  return { asked, work }
}

describe('requests to a device', () => {
  it.each([[true], [false]])('are sent again over a new connection, which is looked at anew (TLS: %s)', async tls => {
    const { work } = await open(tls)
    const twice = work(async device => [await device.request('GET', '/'), await device.request('GET', '/')])
    expect(await twice).toMatchObject([
      { status: 200, body: { data: 1 } },
      { status: 200, body: { data: 1 } },
    ])
  })

  it('have JSON, a form or a text in them', async () => {
    const { asked, work } = await open()
    await work(async device => {
      await device.request('POST', '/', { body: { a: 1 } })
      await device.request('POST', '/', { form: { 'a b': 'c&d=e' } })
      await device.request('POST', '/', { content: { type: 'text/xml', text: '<a/>' } })
      await device.request('POST', '/')
    })
    expect(asked.map(({ headers, text }) => [headers['content-type'], text])).toEqual([
      ['application/json', '{"a":1}'],
      ['application/x-www-form-urlencoded', 'a+b=c%26d%3De'],
      ['text/xml', '<a/>'],
      [undefined, ''],
    ])
  })

  it('are answered with a reason, and a text where no JSON is wanted', async () => {
    const { work } = await open()
    expect(await work(device => device.request('GET', '/bad'))).toMatchObject({ status: 500, reason: 'no quorum!' })
    expect(await work(device => device.request('GET', '/xml', { json: false }))).toMatchObject({
      body: null,
      text: '<a/>',
    })
    await expect(work(device => device.request('GET', '/xml'))).rejects.toMatchObject({ code: 'DEVICE_ANSWER_INVALID' })
  })
})
