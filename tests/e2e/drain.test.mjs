// How requests end before their time: the server is told to stop and answers each at once, or the
// client goes away and nothing is left of its request.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Postgres, Server, freePort } from './harness.mjs'
import { fill } from './workload.mjs'

const makeServer = (url, env = {}) => new Server(url, { env })
const shape = 'v1/shape?table=items'

/** Far below the drain's own limit of 8 s, far above what a busy machine needs. */
const promptMs = 3000

/** Ends the server with SIGTERM; what it answered to `requests`, and that all of it was quick. */
async function drain(server, requests) {
  await sleep(500) // the requests are at the server, and have come to their wait
  const began = performance.now()
  const ended = await server.end('SIGTERM')
  const tookMs = performance.now() - began
  assert.equal(ended.code, 0, server.logTail())
  assert.ok(tookMs < promptMs, `stopped after ${Math.round(tookMs)} ms`)
  return Promise.all(requests)
}

const answerOf = async (url) => {
  const response = await fetch(url)
  return { status: response.status, headers: response.headers, body: await response.json() }
}

let postgres
before(async () => {
  postgres = new Postgres()
  const database = await postgres.connect()
  await fill(database, 10)
  await database.end()
})
after(() => postgres?.stop())

/** Waits until the server has so many processes of requests. */
async function untilRequests(metricsPort, count) {
  const deadline = performance.now() + 10_000
  for (;;) {
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    const found = Number(/^holdfast_request_processes (\d+)$/m.exec(metrics)[1])
    if (found === count) return
    assert.ok(performance.now() < deadline, `${found} requests, not ${count}`)
    await sleep(20)
  }
}

/** A server with metrics, and the URL of a request that it holds. */
async function serverWithLiveUrl(t) {
  const metricsPort = await freePort()
  const server = makeServer(postgres.url, { ELECTRIC_PROMETHEUS_PORT: String(metricsPort) })
  t.after(() => server.close())
  await server.start()
  const first = await answerOf(`${server.url}/${shape}&offset=-1`)
  const handle = first.headers.get('electric-handle')
  return { server, metricsPort, live: `${server.url}/${shape}&offset=0_inf&handle=${handle}&live=true` }
}

test('parked long polls are answered as at their timeout', { timeout: 60_000 }, async (t) => {
  const { server, live, metricsPort } = await serverWithLiveUrl(t)
  const polls = Array.from({ length: 50 }, () => answerOf(live))
  await untilRequests(metricsPort, 50) // a later one would be refused
  const answers = await drain(server, polls)
  for (const { status, body } of answers) {
    assert.equal(status, 200)
    assert.deepEqual(body.map((message) => message.headers.control), ['up-to-date'])
  }
})

test('requests that wait for a Postgres that refuses are answered 503', { timeout: 60_000 }, async (t) => {
  const server = makeServer('postgresql://nobody@127.0.0.1:1/nothing')
  t.after(() => server.close())
  await server.start({ health: [202] })
  const [{ status }] = await drain(server, [answerOf(`${server.url}/${shape}&offset=-1`)])
  assert.equal(status, 503)
})

test('requests that wait for a Postgres that says nothing are answered 503', { timeout: 60_000 }, async (t) => {
  const silent = createServer()
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const connections = new Set()
  silent.on('connection', (socket) => {
    connections.add(socket)
    socket.on('error', () => {})
  })
  t.after(() => {
    for (const socket of connections) socket.destroy()
    silent.close()
  })
  const server = makeServer(`postgresql://nobody@127.0.0.1:${silent.address().port}/nothing?sslmode=disable`)
  t.after(() => server.close())
  await server.start({ health: [202] })
  const [{ status }] = await drain(server, [answerOf(`${server.url}/${shape}&offset=-1`)])
  assert.equal(status, 503)
})

test('a client that goes away leaves no request behind', { timeout: 60_000 }, async (t) => {
  const { live, metricsPort } = await serverWithLiveUrl(t)
  const leave = new AbortController()
  const polls = Array.from({ length: 20 }, () => fetch(live, { signal: leave.signal }).catch(() => {}))
  await untilRequests(metricsPort, 20)
  leave.abort()
  await Promise.all(polls)
  await untilRequests(metricsPort, 0)
})
